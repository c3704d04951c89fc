//! The demo shows what it promises, again and again, with nothing fetched.

use crate::command::Desk;

#[test]
fn the_demo_works_offline_and_twice() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    for _ in 0..2 {
        let shown = desk.run(&["demo", "--offline"])?.ended(0)?.out;
        for part in [
            "places",
            "wages",
            "hourly_rate",
            "float64",
            "joined",
            "left",
            "changed",
            "catalog.schema_drift",
            "models.model_dir",
            "http://",
        ] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
        assert!(!shown.contains("ready in"), "there is no model to be ready in\n{shown}");
    }
    let list = desk.run(&["catalog", "list", "--lake", "lake-demo", "--json"])?.ended(0)?.json()?;
    let names: Vec<_> = list["datasets"].as_array().into_iter().flatten().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["occupations", "places", "wages", "workers"]);
    Ok(())
}

/// With the model at hand the demo ends with what it is for: a search by meaning, joined with the tables.
#[test]
fn the_demo_ends_with_the_search_joined_in_sql() -> anyhow::Result<()> {
    let Some(desk) = Desk::with_model("demo::the_demo_ends_with_the_search_joined_in_sql")? else { return Ok(()) };
    for _ in 0..2 {
        let shown = desk.run(&["demo", "--offline"])?.ended(0)?.out;
        for part in ["skills", "Drives a forklift", "shares no word", "vector_search(", "hourly_median"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }
    Ok(())
}

#[test]
fn the_demo_is_no_document() -> anyhow::Result<()> {
    let refused = Desk::new()?.run(&["demo", "--offline", "--json"])?.ended(2)?;
    assert!(refused.out.is_empty() && refused.err.contains("--json"), "{}", refused.err);
    Ok(())
}
