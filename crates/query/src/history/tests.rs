use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use serde_json::{Value, json};

use super::*;

fn record(version: u64, commits: &[(&str, &str, usize)]) -> Record {
    let id = base::CommitId::mint(&base::Seams::system());
    let tags =
        |count: usize| (0..count).map(|tag| json!({ "change": "tag_put", "tag": format!("t{tag}"), "version": 1 }));
    let commit = |(author, message, count): &(&str, &str, usize)| json!({ "id": id, "author": author, "message": message, "changes": tags(*count).collect::<Vec<Value>>() });
    let commits: Vec<Value> = commits.iter().map(commit).collect();
    let at = Timestamp::from_micros(1_700_000_000_000_000);
    serde_json::from_value(json!({ "format": 1, "version": version, "at": at, "commits": commits })).unwrap()
}

#[test]
fn a_version_is_one_row_however_many_commits_it_holds() {
    let records = [
        record(8, &[("ann", "tag a", 1), ("bob", "tag b", 2), ("ann", "tag c", 1)]),
        record(7, &[("ann", "tag d", 1)]),
    ];
    let batch = versions_batch(&versions_schema(), &records).unwrap();
    let numbers = |at: usize| batch.column(at).as_primitive::<Int64Type>().values().to_vec();
    let texts = |at: usize| batch.column(at).as_string::<i32>().iter().flatten().collect::<Vec<_>>();
    assert_eq!((numbers(0), numbers(5)), (vec![8, 7], vec![3, 1]));
    assert_eq!((texts(2), texts(3)), (vec!["ann, bob", "ann"], vec!["tag a; tag b; tag c", "tag d"]));
    let changes = batch.column(4).as_list::<i32>();
    assert_eq!([changes.value(0).len(), changes.value(1).len()], [4, 1]);
}
