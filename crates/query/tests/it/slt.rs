//! Runs every file under `tests/slt`.
//!
//! A file is a list of blocks, separated by blank lines. `query` is followed by SQL, `----`, a line of columns and one
//! JSON array per row; `query sorted` sorts the rows' texts first. `error CODE` is followed by SQL, and may end with
//! `----` and a part of the message. `load NAME` is followed by CSV, with `\n` for an empty line.

use std::path::{Path, PathBuf};

use base::Fault;
use serde_json::Value;

use crate::lake::Lake;

#[tokio::test(flavor = "multi_thread")]
async fn every_file_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut faults = Vec::new();
    for file in files {
        let lake = Lake::open().await;
        #[expect(clippy::disallowed_methods, reason = "tests read their own files")]
        let text = std::fs::read_to_string(&file).unwrap();
        for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            let lines: Vec<&str> = block.lines().filter(|line| !line.starts_with('#')).collect();
            if let Some((head, body)) = lines.split_first()
                && let Err(fault) = run(&lake, head, body).await
            {
                faults.push(format!("{}: {}\n{fault}", file.file_name().unwrap().to_string_lossy(), body.join("\n")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

async fn run(lake: &Lake, head: &str, body: &[&str]) -> Result<(), String> {
    let split = body.iter().position(|line| *line == "----");
    let (sql, expected) = body.split_at(split.unwrap_or(body.len()));
    let (sql, expected) = (sql.join("\n"), expected.get(1..).unwrap_or(&[]));
    match head.split_once(' ').unwrap_or((head, "")) {
        ("load", name) => {
            lake.replace(name, body.join("\n").replace("\\n", "") + "\n").await;
            Ok(())
        }
        ("error", code) => match lake.json(&sql).await {
            Ok(answer) => Err(format!("answered {answer}")),
            Err(error) if error.code() != code => Err(format!("{}: {error}", error.code())),
            Err(error) => match expected.first() {
                Some(part) if !error.to_string().contains(part) => Err(error.to_string()),
                _ => Ok(()),
            },
        },
        ("query", how) => compare(lake, &sql, expected, how == "sorted").await,
        _ => Err(format!("no such block: {head}")),
    }
}

async fn compare(lake: &Lake, sql: &str, expected: &[&str], sorted: bool) -> Result<(), String> {
    let answer = lake.json(sql).await.map_err(|error| format!("{}: {error}", error.code()))?;
    let column = |column: &Value| format!("{}:{}", column["name"].as_str().unwrap(), column["type"].as_str().unwrap());
    let columns: Vec<String> = answer["columns"].as_array().unwrap().iter().map(column).collect();
    let mut rows: Vec<String> = answer["rows"].as_array().unwrap().iter().map(Value::to_string).collect();
    if sorted {
        rows.sort();
    }
    let found = [vec![columns.join(" | ")], rows].concat();
    if found == expected { Ok(()) } else { Err(format!("found:\n{}", found.join("\n"))) }
}
