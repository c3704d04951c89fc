//! `evolve=add`: files that bring further columns, or lack some.

use base::Fault;
use catalog::Mode;
use ingest::{Evolve, Request};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::lake::{Lake, Row, appending, name, parquet_rows, request, show};

fn evolving(dataset: &str) -> Request {
    Request { evolve: Evolve::Add, ..appending(dataset) }
}

/// The rows of a table under its present columns, found by their ids in each file.
async fn rows(lake: &Lake, dataset: &str) -> Vec<Row> {
    let pin = lake.catalog.pin(None).await.unwrap();
    let table = lake.catalog.table(&pin, &name(dataset)).await.unwrap();
    let mut rows = Vec::new();
    for file in table.files().await.unwrap().iter() {
        let bytes = lake.lake.store.get(&file.path).await.unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
        let fields = reader.parquet_schema().root_schema().get_fields().to_vec();
        let ids: Vec<i32> = fields.iter().map(|field| field.get_basic_info().id()).collect();
        for row in parquet_rows(bytes) {
            let cell =
                |column: &catalog::Column| ids.iter().position(|id| *id == column.id).and_then(|at| row[at].clone());
            rows.push(table.columns().iter().map(cell).collect());
        }
    }
    rows.sort();
    rows
}

async fn ids(lake: &Lake, dataset: &str) -> Vec<(i32, String, String)> {
    let pin = lake.catalog.pin(None).await.unwrap();
    let table = lake.catalog.table(&pin, &name(dataset)).await.unwrap();
    table.columns().iter().map(|column| (column.id, column.name.clone(), column.ty.name())).collect()
}

fn column(id: i32, name: &str, ty: &str) -> (i32, String, String) {
    (id, name.into(), ty.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn further_columns_are_added_at_the_end_and_old_rows_read_null() {
    let lake = Lake::open().await;
    let first = lake.load("t", "id,city\n1,Toledo\n").await;
    let second = lake.send(evolving("t"), "wage,id,city,since\n2.5,2,Akron,2026-01-02\n").await.unwrap();
    assert_eq!((second.row_count, second.total_rows, second.existing), (1, 2, false));
    assert_ne!(second.schema_fingerprint, first.schema_fingerprint);
    let columns = [
        column(1, "id", "int64"),
        column(2, "city", "string"),
        column(3, "wage", "float64"),
        column(4, "since", "date"),
    ];
    assert_eq!(ids(&lake, "t").await, columns);
    let expected = [["1", "Toledo", "NULL", "NULL"], ["2", "Akron", "2.5", "2026-01-02"]];
    assert_eq!(show(&rows(&lake, "t").await), expected);

    let pin = lake.catalog.pin(None).await.unwrap();
    let manifest = lake.catalog.manifest(&pin, &name("t")).await.unwrap();
    assert_eq!(manifest.schema_fingerprint, second.schema_fingerprint);
    assert_eq!(manifest.schema.fields.len(), 4);
    let history = lake.catalog.history(&pin, &name("t"), 10, None).await.unwrap();
    assert_eq!(history.items.iter().map(|line| line.row_count).collect::<Vec<_>>(), [2, 1]);
    let before = lake.catalog.pin(Some(&first.version.to_string().parse().unwrap())).await.unwrap();
    assert_eq!(lake.catalog.table(&before, &name("t")).await.unwrap().columns().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_columns_are_null_and_types_that_prove_wrong_are_read_again() {
    let lake = Lake::open().await;
    lake.load("t", "id,city,wage\n1,Toledo,2.5\n").await;
    let many = "7,x,3\n".repeat(200_000);
    lake.send(evolving("t"), format!("id,city,zip\n{many}8,,00501\n")).await.unwrap();
    assert_eq!(ids(&lake, "t").await[3], column(4, "zip", "string"));
    let rows = rows(&lake, "t").await;
    assert_eq!(rows.len(), 200_002);
    assert_eq!(show(&rows[..1]), [["1", "Toledo", "2.5", "NULL"]]);
    assert_eq!(show(&rows[200_001..]), [["8", "NULL", "NULL", "00501"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_keeps_the_ids_of_columns_too() {
    let lake = Lake::open().await;
    lake.load("t", "id,city\n1,Toledo\n").await;
    let replace = Request { mode: Mode::Replace, ..evolving("t") };
    lake.send(replace, "id,zip\n2,43604\n").await.unwrap();
    assert_eq!(ids(&lake, "t").await[2], column(3, "zip", "int64"));
    assert_eq!(show(&rows(&lake, "t").await), [["2", "NULL", "43604"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn renames_and_other_types_stay_drift_and_change_nothing() {
    let lake = Lake::open().await;
    lake.load("t", "id,city,wage\n1,Toledo,2.5\n").await;
    let before = lake.paths().await;
    for file in ["id,town,wage\n1,Toledo,2.5\n", "id,City,wage\n1,Toledo,2.5\n", "id,city,wage,x\none,Toledo,2.5,1\n"] {
        let error = lake.refused(evolving("t"), file).await;
        assert_eq!(error.code(), "catalog.schema_drift", "{file:?}");
    }
    for file in ["id,city\n1,Toledo\n", "id,city,wage,zip\n1,Toledo,2,43604\n"] {
        assert_eq!(lake.refused(request("t"), file).await.code(), "catalog.schema_drift", "{file:?}");
    }
    assert_eq!(lake.paths().await, before);
}

/// Values of another type for each of three columns, so that none may be the other renamed.
fn value(n: usize) -> String {
    [format!("v{n}"), n.to_string(), format!("2026-01-{:02}", n + 1)][n % 3].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_that_add_columns_at_once_all_arrive_under_ids_of_their_own() {
    let lake = Lake::open().await;
    lake.load("t", "id\n0\n").await;
    let loads = (1..=12).map(|n| {
        let lake = &lake;
        // Every third load brings the same column.
        async move { lake.send(evolving("t"), format!("id,c{}\n{n},{}\n", n % 3, value(n))).await }
    });
    for outcome in futures::future::join_all(loads).await {
        outcome.unwrap();
    }
    let columns = ids(&lake, "t").await;
    assert_eq!(columns.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let rows = rows(&lake, "t").await;
    assert_eq!(rows.len(), 13);
    for row in rows.iter().filter(|row| row[0].as_deref() != Some("0")) {
        let n: usize = row[0].as_deref().unwrap().parse().unwrap();
        let place = columns.iter().position(|(_, name, _)| *name == format!("c{}", n % 3)).unwrap();
        assert_eq!(row[place], Some(value(n)));
        assert_eq!(row.iter().flatten().count(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_evolution_applies_once() {
    let lake = Lake::open().await;
    lake.load("t", "id\n0\n").await;
    let keyed = || Request { idempotency_key: Some("once".into()), ..evolving("t") };
    let first = lake.send(keyed(), "id,a\n1,2\n").await.unwrap();
    let again = lake.send(keyed(), "id,a\n1,2\n").await.unwrap();
    assert_eq!((again.version, again.total_rows), (first.version, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_answers_its_first_outcome_even_when_the_table_has_changed_since() {
    let lake = Lake::open().await;
    lake.load("t", "id\n0\n").await;
    let keyed = || Request { idempotency_key: Some("once".into()), ..appending("t") };
    let first = lake.send(keyed(), "id\n1\n2\n").await.unwrap();
    lake.send(evolving("t"), "id,a\n3,x\n").await.unwrap();
    let again = lake.send(keyed(), "id\n1\n2\n").await.unwrap();
    assert_eq!((again.version, again.row_count, again.total_rows), (first.version, 2, 3));
    assert_eq!(lake.refused(keyed(), "id\n9\n").await.code(), "catalog.key_reused");
    assert_eq!(lake.refused(appending("t"), "id\n1\n2\n").await.code(), "catalog.schema_drift");
}
