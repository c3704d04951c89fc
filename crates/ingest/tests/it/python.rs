//! Every cell equals the one that Python's csv module reads.

use std::process::Command;

use crate::lake::{Lake, Row};

/// Prints the rows as JSON, with null for cells that are missing or empty.
const READ: &str = r##"
import csv, json, sys
csv.field_size_limit(1 << 30)
with open(sys.argv[1], newline="", encoding="utf-8-sig") as file:
    rows = [row for row in csv.reader(file, delimiter=sys.argv[2], strict=True) if row]
width = len(rows[0])
json.dump([[cell or None for cell in row + [""] * (width - len(row))] for row in rows[1:]], sys.stdout)
"##;

/// Writes a file of nasty cells: quotes, delimiters, line ends of all kinds, white space, long and foreign text.
const WRITE: &str = r##"
import csv, random, sys
dice = random.Random(int(sys.argv[2]))
delimiter, end = dice.choice(",;\t|"), dice.choice(["\n", "\r\n"])
pieces = ['"', '""', "\n", "\r\n", "\r", ",", ";", "\t", "|", " ", "  ", "'", "é", "日本", "🦀", "\u2028", "\x00", "x" * 500,
          "007", "1", "-", "true", "2026-11-22", "\\", "\\n", "NULL", "#", "=1+1"]
with open(sys.argv[1], "w", newline="", encoding=dice.choice(["utf-8", "utf-8-sig"])) as file:
    quoting = dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    width = dice.randint(2, 12)
    writer.writerow([f"column {n}" for n in range(width)])
    writer.writerow(["text"] * width)
    for _ in range(dice.randint(0, 3000)):
        cells = dice.randint(1, width) if dice.random() < 0.1 else width
        writer.writerow(["".join(dice.choices(pieces, k=dice.randint(0, 5))) for _ in range(cells)])
print(delimiter, end="")
"##;

fn python(script: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("python3").arg("-c").arg(script).args(arguments).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "the file is Python's, not the lake's")]
async fn every_cell_equals_pythons() {
    let directory = tempfile::tempdir().unwrap();
    for seed in 0..25 {
        let path = directory.path().join(format!("{seed}.csv"));
        let path = path.to_str().unwrap();
        let Some(delimiter) = python(WRITE, &[path, &seed.to_string()]) else {
            testkit::skip("every_cell_equals_pythons", "there is no python3");
            return;
        };
        let delimiter = String::from_utf8(delimiter).unwrap();
        let theirs = python(READ, &[path, &delimiter]).unwrap();
        let theirs: Vec<Row> = serde_json::from_slice(&theirs).unwrap();
        let lake = Lake::open().await;
        lake.load("t", std::fs::read(path).unwrap()).await;
        let ours: Vec<Row> = lake.rows("t").await.into_iter().map(empty_as_null).collect();
        assert_eq!(ours.len(), theirs.len(), "seed {seed}");
        for (row, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours, theirs, "seed {seed}, row {row}");
        }
    }
}

/// Python does not tell an empty cell from empty quotes.
fn empty_as_null(row: Row) -> Row {
    row.into_iter().map(|cell| cell.filter(|text| !text.is_empty())).collect()
}
