//! The lake is kept in order from the command line.

use serde_json::{Value, json};

use crate::command::Desk;

fn rows(desk: &Desk, lake: &str, extra: &[&str]) -> anyhow::Result<Value> {
    let ask = ["sql", "SELECT id FROM people ORDER BY id", "--json", "--lake", lake];
    Ok(desk.run(&[&ask[..], extra].concat())?.ended(0)?.json()?["rows"].clone())
}

#[test]
fn files_are_merged_versions_expire_and_strays_are_swept() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    for id in 1..=4 {
        desk.write("people.csv", format!("id\n{id}\n"))?;
        desk.run(&["ingest", "people", "people.csv", "--mode", "append"])?.ended(0)?;
    }
    let all = json!([[1], [2], [3], [4]]);
    let dry = desk.run(&["compact", "people", "--dry-run", "--json"])?.ended(0)?.json()?;
    assert_eq!((&dry["dry_run"], &dry["datasets"][0]["files"]), (&json!(true), &json!(4)));
    let done = desk.run(&["compact", "--json"])?.ended(0)?.json()?;
    assert_eq!((&done["datasets"][0]["files_after"], &done["datasets"][0]["version"]), (&json!(1), &json!(5)));
    assert_eq!(rows(&desk, "lake", &[])?, all);

    let said = desk.run(&["expire"])?.ended(2)?;
    assert!(said.err.contains("<--older-than <SPAN>|--keep-last <N>>"), "{}", said.err);
    desk.run(&["expire", "--keep-last", "0"])?.ended(2)?;
    let said = desk.run(&["expire", "--keep-last", "2"])?.ended(0)?;
    assert_eq!(said.out, "3 versions would go, from 1 to 3\n");
    assert_eq!(rows(&desk, "lake", &["--as-of", "2"])?, json!([[1], [2]]));
    let said = desk.run(&["expire", "--keep-last", "2", "--yes"])?.ended(0)?;
    assert_eq!(said.out, "3 versions went, from 1 to 3\n");
    desk.run(&["sql", "SELECT 1", "--as-of", "2"])?.ended(4)?;
    assert_eq!(rows(&desk, "lake", &["--as-of", "4"])?, all);

    let young = desk.run(&["sweep", "--json"])?.ended(0)?.json()?;
    assert_eq!(young["files"], 0, "all of it is younger than an hour");
    let dry = desk.run(&["sweep", "--grace", "0s", "--json"])?.ended(0)?.json()?;
    let swept = desk.run(&["sweep", "--grace", "0s", "--yes", "--json"])?.ended(0)?.json()?;
    assert_eq!((&dry["files"], dry["files"].as_u64() > Some(0)), (&swept["files"], true));
    assert_eq!(rows(&desk, "lake", &["--as-of", "4"])?, all);
    assert_eq!(rows(&desk, "lake", &[])?, all);
    Ok(())
}

#[test]
fn a_version_is_backed_up_restored_and_relocated() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    for id in 1..=2 {
        desk.write("people.csv", format!("id\n{id}\n"))?;
        desk.run(&["ingest", "people", "people.csv", "--mode", "append"])?.ended(0)?;
    }
    let done = desk.run(&["backup", "kept", "--as-of", "1", "--json"])?.ended(0)?.json()?;
    assert_eq!((&done["version"], &done["datasets"]), (&json!(1), &json!(1)));
    desk.run(&["backup", "kept"])?.ended(1)?;
    desk.run(&["backup", "other", "--lake", "misspelt"])?.ended(4)?;
    let restored = desk.run(&["restore", "kept", "--lake", "again", "--json"])?.ended(0)?.json()?;
    assert_eq!((&restored["version"], &restored["files"]), (&json!(1), &done["files"]));
    assert_eq!(rows(&desk, "again", &[])?, json!([[1]]));
    desk.run(&["restore", "kept", "--lake", "again"])?.ended(1)?;
    desk.run(&["restore", "lake", "--lake", "third"])?.ended(4)?;
    desk.run(&["restore", "misspelt", "--lake", "third"])?.ended(4)?;
    assert!(!desk.path().join("misspelt").exists() && !desk.path().join("third").exists());
    desk.run(&["backup", "lake/kept"])?.ended(1)?;
    let said = desk.run(&["backup", "other", "--lake", "."])?.ended(4)?;
    assert!(said.err.contains("this directory holds no lake"), "{}", said.err);
    assert!(!desk.path().join("other").exists());
    let moved = desk.run(&["relocate", "--lake", "again", "--json"])?.ended(0)?.json()?;
    assert_eq!((&moved["tables"], &moved["version"], &moved["left_alone"]), (&json!(1), &json!(2), &json!([])));
    assert_eq!(rows(&desk, "again", &[])?, json!([[1]]));
    Ok(())
}
