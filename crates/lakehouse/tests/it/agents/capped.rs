//! However much there is, an answer is small, says that it is not all, and hides nothing else.

use anyhow::ensure;
use serde_json::{Value, json};

use super::list;
use super::talk::Talk;
use crate::command::Desk;

const WIDE: usize = 1500;
/// Bytes of the items of an answer, and generously what stands around them.
const BYTES: usize = 48_000 + 8_000;

/// A lake with a table of very many columns, which comes before the other.
fn desk() -> anyhow::Result<Desk> {
    let desk = Desk::new()?;
    let line = |cell: &dyn Fn(usize) -> String| (0..WIDE).map(cell).collect::<Vec<_>>().join(",");
    let columns = line(&|column| format!("a_column_with_a_long_name_{column}"));
    desk.write("broad.csv", format!("{columns}\n{}\n", line(&|column| column.to_string())))?;
    desk.run(&["ingest", "broad", "broad.csv"])?.ended(0)?;
    let rows: String = (0..900).map(|id| format!("{id},{}\n", "x".repeat(100))).collect();
    desk.write("long.csv", format!("id,text\n{rows}"))?;
    desk.run(&["ingest", "long", "long.csv"])?.ended(0)?;
    Ok(desk)
}

#[test]
fn what_is_wide_or_long_is_cut_and_hides_nothing() -> anyhow::Result<()> {
    let desk = desk()?;
    let lake = desk.path().join("lake").display().to_string();
    let mut talk = Talk::start(&desk, &["--lake", &lake])?;
    let mut told = |tool: &str, arguments: Value| -> anyhow::Result<Value> {
        let answer = talk.call(tool, &arguments)?["structuredContent"].take();
        ensure!(answer.to_string().len() < BYTES, "{tool} {arguments}: {} bytes", answer.to_string().len());
        Ok(answer)
    };
    let all = told("list_datasets", json!({}))?;
    let names: Vec<&Value> = list(&all["datasets"])?.iter().map(|dataset| &dataset["name"]).collect();
    assert_eq!((names, &all["truncated"]), (vec![&json!("broad"), &json!("long")], &json!(false)));
    assert_eq!(all["datasets"][0]["columns_total"], WIDE);

    let manifest = told("get_manifest", json!({ "name": "broad" }))?["manifest"].take();
    assert_eq!((&manifest["columns_total"], &manifest["columns_truncated"]), (&json!(WIDE), &json!(true)));
    assert!(list(&manifest["schema"]["fields"])?.len() > 100, "{manifest}");

    let cut = told("query_sql", json!({ "sql": "SELECT * FROM long ORDER BY id" }))?;
    assert_eq!((list(&cut["rows"])?.len(), &cut["total"], &cut["truncated"]), (200, &json!(900), &json!(true)));
    let cut = told("query_sql", json!({ "sql": "SELECT id, repeat(text, 10) AS text FROM long ORDER BY id" }))?;
    assert_eq!((list(&cut["rows"])?.len(), &cut["total"], &cut["truncated"]), (47, &json!(900), &json!(true)));
    assert!(cut["hint"].is_string(), "{cut}");
    // The names of so many columns do not fit, whatever the one row takes.
    let answer = talk.call("query_sql", &json!({ "sql": "SELECT * FROM broad" }))?["structuredContent"].take();
    assert!(answer["truncated"] == true && list(&answer["columns"])?.len() < WIDE, "{}", answer["hint"]);
    talk.end()
}
