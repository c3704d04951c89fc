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
            "http://",
        ] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }
    let list = desk.run(&["catalog", "list", "--lake", "lake-demo", "--json"])?.ended(0)?.json()?;
    let names: Vec<_> = list["datasets"].as_array().into_iter().flatten().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["occupations", "places", "wages", "workers"]);
    Ok(())
}
