//! Personal data: noticed, noted by field id, and in no statistics.

use std::collections::BTreeMap;

use base::Fault;
use bytes::Bytes;
use catalog::{Classify, Pii};
use ingest::{Evolve, Request};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::lake::{Lake, appending, name};

/// Rows whose personal values begin and end with ones that occur nowhere else.
fn people(rows: usize) -> String {
    let mut text = String::from("id,contact,city\n0,aaaa.unique@example.org,Akron\n");
    for n in 1..rows {
        text.push_str(&format!("{n},person.{n}@example.org,Toledo\n"));
    }
    text + "999999,zzzz.unique@example.org,Zanesville\n"
}

async fn tagged(lake: &Lake) -> Vec<(String, Option<Pii>)> {
    let pin = lake.catalog.pin(None).await.unwrap();
    let manifest = lake.catalog.manifest(&pin, &name("people")).await.unwrap();
    manifest.schema.fields.into_iter().map(|field| (field.name, field.pii)).collect()
}

async fn classify(lake: &Lake, column: &str, kind: Option<Pii>) -> Result<catalog::Published, catalog::Error> {
    let columns = BTreeMap::from([(column.to_owned(), kind)]);
    lake.catalog.classify(Classify { name: name("people"), columns, author: "me".into() }).await
}

/// Where in a file the values end and what is about them begins; with all that is about them.
fn footer(bytes: &Bytes) -> (usize, ParquetMetaData) {
    let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
    let footer = reader.parse_and_finish(bytes).unwrap();
    let chunks = footer.row_groups().iter().flat_map(|group| group.columns());
    let end = chunks.map(|chunk| chunk.byte_range().0 + chunk.byte_range().1).max().unwrap();
    (usize::try_from(end).unwrap(), footer)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Everything in the lake that is not values: all of every file but of Parquet, there what follows the values.
async fn about_values(lake: &Lake) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for path in lake.paths().await.into_keys() {
        let bytes = lake.lake.store.get(&path).await.unwrap();
        let about = if path.ends_with(".parquet") { bytes.slice(footer(&bytes).0..) } else { bytes };
        all.push((path, inflated(&about)));
    }
    all
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut text = Vec::new();
    match flate2::read::GzDecoder::new(bytes).read_to_end(&mut text) {
        Ok(_) => text,
        Err(_) => bytes.to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_personal_columns_stand_in_no_statistics() {
    let lake = Lake::open().await;
    lake.load("people", people(20_000)).await;
    let expected = [("id", None), ("contact", Some(Pii::Email)), ("city", None)];
    assert_eq!(tagged(&lake).await, expected.map(|(name, kind)| (name.to_owned(), kind)));

    let about = about_values(&lake).await;
    for unique in ["aaaa.unique", "zzzz.unique", "aaaa", "zzzz"] {
        let found: Vec<_> = about.iter().filter(|(_, bytes)| holds(bytes, unique)).map(|(path, _)| path).collect();
        assert!(found.is_empty(), "{unique} stands in {found:?}");
    }
    // The search finds what it looks for where statistics are kept.
    let with_city: Vec<_> =
        about.iter().filter(|(_, bytes)| holds(bytes, "Zanesville")).map(|(path, _)| path).collect();
    assert!(with_city.iter().any(|path| path.ends_with(".parquet")), "{with_city:?}");
    assert!(with_city.iter().any(|path| path.ends_with(".avro")), "{with_city:?}");

    let path = about.iter().map(|(path, _)| path).find(|path| path.ends_with(".parquet")).unwrap();
    let (_, footer) = footer(&lake.lake.store.get(path).await.unwrap());
    for group in footer.row_groups() {
        assert!(group.column(1).statistics().is_none() && group.column(1).bloom_filter_offset().is_none());
        assert!(group.column(0).statistics().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classification_can_be_changed_and_stays_with_the_column() {
    let lake = Lake::open().await;
    lake.load("people", people(10)).await;
    let changed = classify(&lake, "city", Some(Pii::Address)).await.unwrap();
    assert!(!changed.existing);
    assert!(classify(&lake, "city", Some(Pii::Address)).await.unwrap().existing, "it was known");
    classify(&lake, "contact", None).await.unwrap();
    let expected = [("id", None), ("contact", None), ("city", Some(Pii::Address))];
    assert_eq!(tagged(&lake).await, expected.map(|(name, kind)| (name.to_owned(), kind)));

    // Later loads keep to what was said, whatever the values look like.
    lake.send(appending("people"), people(12)).await.unwrap();
    assert_eq!(tagged(&lake).await, expected.map(|(name, kind)| (name.to_owned(), kind)));
    let pin = lake.catalog.pin(None).await.unwrap();
    let table = lake.catalog.table(&pin, &name("people")).await.unwrap();
    let files = table.files().await.unwrap();
    let newest = files.iter().find(|file| file.rows == 13).unwrap();
    assert!(newest.lower.contains_key(&2) && !newest.lower.contains_key(&3), "{newest:?}");

    let error = classify(&lake, "town", Some(Pii::Address)).await.unwrap_err();
    assert_eq!(error.code(), "catalog.unknown_column");
    let nobody = Classify { name: name("nobody"), columns: BTreeMap::new(), author: "me".into() };
    let error = lake.catalog.classify(nobody).await.unwrap_err().to_string();
    assert_eq!(error, format!("there is no dataset nobody at version {}", pin.version()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_column_is_classified_from_its_first_file() {
    let lake = Lake::open().await;
    lake.load("people", "id\n1\n").await;
    let evolving = Request { evolve: Evolve::Add, ..appending("people") };
    lake.send(evolving, "id,date_of_birth\n2,1815-12-10\n").await.unwrap();
    let expected = [("id".to_owned(), None), ("date_of_birth".to_owned(), Some(Pii::BirthDate))];
    assert_eq!(tagged(&lake).await, expected);
    for (path, bytes) in about_values(&lake).await.iter().filter(|(path, _)| path.ends_with(".avro")) {
        let day = (-56_270_i32).to_le_bytes();
        assert!(!bytes.windows(4).any(|window| window == day), "the day of birth stands in {path}");
    }
}
