use super::Layers;

fn upward(text: &str) -> Vec<String> {
    let layers = Layers::parse(text).unwrap();
    layers.rooms.iter().flat_map(|(name, room)| layers.upward(name, room)).collect()
}

#[test]
fn a_crate_may_import_what_is_below_it() {
    assert!(upward("0 base: | |\n1 storage: base | |").is_empty());
}

#[test]
fn a_crate_may_not_import_its_neighbour_or_what_is_above() {
    let faults = upward("1 storage: catalog | |\n1 catalog: ingest | |\n2 ingest: | |");
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[1].contains("storage may not import catalog"), "{faults:?}");
}

#[test]
fn a_marked_step_sideways_is_allowed() {
    assert!(upward("1 storage: | |\n1 catalog: !storage | |").is_empty());
}

#[test]
fn a_line_without_its_three_parts_is_refused() {
    assert!(Layers::parse("1 storage: base").is_err());
}
