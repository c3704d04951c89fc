//! One bad table never hides the others.

use std::path::Path;

use base::{Fault, Kind, Seams};
use catalog::Catalog;
use query::{Ask, Config, Query};
use serde_json::{Value, json};

use crate::lake::{Lake, PEOPLE};

/// Removes a folder of one table, `metadata` or `data`, behind the lake's back.
#[expect(clippy::disallowed_methods, reason = "this test damages a lake on purpose")]
fn damage(lake: &Path, table: &str, folder: &str) {
    for entry in lake.join("tables").read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(table) {
            std::fs::remove_dir_all(path.join(folder)).unwrap();
        }
    }
}

async fn rows(query: &Query, sql: &str) -> query::Result<Value> {
    let answer = query.run(Ask { sql: sql.to_owned(), ..Ask::default() }).await?;
    let document: Value = serde_json::from_slice(&query::encode::json(answer, 100).await?).unwrap();
    Ok(document["rows"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_tables_are_listed_and_answered() {
    let lake = Lake::open().await;
    lake.replace("good", PEOPLE).await;
    lake.replace("ill", PEOPLE).await;
    damage(lake.store.path(), "ill", "metadata");
    let store = lake.store.reopen().await;
    let catalog = Catalog::open(store, &catalog::Config::default(), Seams::system()).await.unwrap();
    let query = Query::new(catalog, &Config { threads: Some(1), ..Config::default() }, Seams::system()).unwrap();
    assert_eq!(rows(&query, "SELECT count(*) FROM good").await.unwrap(), json!([[3]]));
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'default' ORDER BY 1";
    assert_eq!(rows(&query, tables).await.unwrap(), json!([["good"], ["ill"]]));
    let columns = "SELECT DISTINCT table_name FROM information_schema.columns";
    assert_eq!(rows(&query, columns).await.unwrap(), json!([["good"]]));
    let error = rows(&query, "SELECT * FROM ill").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged, "{error}");
    let path = lake.store.path().to_string_lossy().into_owned();
    assert!(!error.to_string().contains(&path), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_gone_is_damage_wherever_it_is_read() {
    let lake = Lake::open().await;
    lake.replace("good", PEOPLE).await;
    lake.replace("ill", PEOPLE).await;
    damage(lake.store.path(), "ill", "data");
    for sql in [
        "SELECT sum(wage) FROM ill",
        "SELECT * FROM good JOIN ill ON good.id = ill.id",
        "SELECT * FROM good, ill WHERE good.id < ill.id",
        "SELECT * FROM good WHERE id IN (SELECT id FROM ill)",
        "SELECT * FROM good WHERE id = (SELECT max(id + 1) FROM ill)",
    ] {
        let error = lake.json(sql).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("query.unreadable", Kind::Damaged), "{sql}: {error}");
    }
}
