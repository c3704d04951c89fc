//! One bad table never hides the others.

use std::path::{Path, PathBuf};

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
    let document: Value = serde_json::from_slice(&answers::json(answer, 100).await?).unwrap();
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
        assert_eq!((error.code(), error.kind()), ("catalog.damaged", Kind::Damaged), "{sql}: {error}");
    }
}

/// The one data file of a table.
fn data_file(lake: &Path, table: &str) -> PathBuf {
    let named = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(table);
    let paths = |directory: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let table = paths(&lake.join("tables")).into_iter().find(named).unwrap();
    paths(&table.join("data")).pop().unwrap()
}

/// An engine that has read nothing yet, asked over a file of these bytes.
#[expect(clippy::disallowed_methods, reason = "this test damages a lake on purpose")]
async fn asked_anew(lake: &Lake, (file, bytes): (&Path, &[u8]), sql: &str) -> query::Result<Value> {
    std::fs::write(file, bytes).unwrap();
    let catalog = lake.query.catalog().clone();
    let query = Query::new(catalog, &Config { threads: Some(1), ..Config::default() }, Seams::system()).unwrap();
    rows(&query, sql).await
}

fn expect_told(error: &query::Error, file: &Path) {
    let (told, file) = (error.to_string(), file.file_name().unwrap().to_string_lossy());
    assert_eq!((error.code(), error.kind()), ("catalog.damaged", Kind::Damaged), "{told}");
    assert!(told.starts_with("the file tables/ill-") && told.ends_with(&format!("{file} of ill is damaged")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "this test damages a lake on purpose")]
async fn a_byte_that_changed_is_told_and_never_served() {
    let lake = Lake::open().await;
    lake.replace("ill", PEOPLE).await;
    let file = data_file(lake.store.path(), "ill");
    let mut bytes = std::fs::read(&file).unwrap();
    let sql = "SELECT id, name, city, born, wage, active, note FROM ill ORDER BY id + 0";
    let sound = asked_anew(&lake, (&file, &bytes), sql).await.unwrap();
    let mut told = 0;
    let every = 23;
    for at in (4..bytes.len()).step_by(every) {
        bytes[at] ^= 0x04;
        match asked_anew(&lake, (&file, &bytes), sql).await {
            Ok(rows) => assert_eq!(rows, sound, "byte {at}"),
            Err(error) => {
                expect_told(&error, &file);
                told += 1;
            }
        }
        bytes[at] ^= 0x04;
    }
    // A key by which the checksums are found may change; the rows are still those that were written.
    assert!(told + 3 > bytes.len() / every, "{told} of {}", bytes.len() / every);
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "this test damages a lake on purpose")]
async fn a_file_that_was_cut_or_replaced_is_told_as_damaged() {
    let lake = Lake::open().await;
    lake.replace("ill", PEOPLE).await;
    let file = data_file(lake.store.path(), "ill");
    let bytes = std::fs::read(&file).unwrap();
    let longer = [b"P".as_slice(), &bytes].concat();
    for damage in [&bytes[..50], &bytes[..bytes.len() - 1], &[], b"id\n1\n", &longer] {
        let error = asked_anew(&lake, (&file, damage), "SELECT sum(wage) FROM ill").await.unwrap_err();
        expect_told(&error, &file);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_that_changed_in_a_manifest_hides_no_rows() {
    let lake = Lake::open().await;
    lake.replace("ill", "id\n1\n2\n").await;
    lake.load("ill", catalog::Mode::Append, "id\n5000\n5900\n").await;
    let (store, least) = (&lake.store.store, 5000_i64.to_le_bytes());
    let named = |path: &String| path.starts_with("tables/ill-") && path.ends_with("-m0.avro");
    let listed = store.list("tables/", None, 1000).await.unwrap().entries.into_iter().map(|entry| entry.path);
    let mut damaged = None;
    for path in listed.filter(named) {
        let mut bytes = store.get(&path).await.unwrap().to_vec();
        if let Some(at) = bytes.windows(8).position(|window| window == least) {
            // 5000 becomes 7048, so that the file seems to hold no row below 6000.
            bytes[at + 1] ^= 8;
            store.put(&path, bytes.into()).await.unwrap();
            damaged = Some(path);
        }
    }
    let seams = Seams::system();
    let catalog = Catalog::open(lake.store.reopen().await, &catalog::Config::default(), seams.clone()).await.unwrap();
    let query = Query::new(catalog, &Config { threads: Some(1), ..Config::default() }, seams).unwrap();
    let error = rows(&query, "SELECT count(*) FROM ill WHERE id >= 5000 AND id < 6000").await.unwrap_err();
    let told = format!("the manifest {} of ill is damaged", damaged.unwrap());
    assert_eq!((error.code(), error.kind(), error.to_string()), ("catalog.damaged", Kind::Damaged, told));
}
