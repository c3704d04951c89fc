//! Every cell equals the one that Python's csv or json module reads.

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

/// Writes JSON of nasty values, in one of three forms: lines, an array, one object after the other.
const WRITE_JSON: &str = r##"
import json, random, sys
dice = random.Random(int(sys.argv[2]))
ascii = dice.random() < 0.5
pieces = ['"', "\\", "/", "\n", "\r", "\t", "\b", "\f", "\x01", "\x7f", " ", "é", "日本", "🦀", "\u2028", "\ufeff", "x" * 500, "{", "]", ",", ":",
          "007", "1", "true", "null", "2026-11-22"]
def text():
    return "".join(dice.choices(pieces, k=dice.randint(0, 5)))
def scalar():
    return dice.choice([None, True, False, text(), text(), dice.randint(-10**25, 10**25), dice.randint(-9, 9), dice.uniform(-1e9, 1e9),
                        dice.uniform(-1, 1) * 10.0 ** dice.randint(-300, 300)])
def value(depth):
    if depth < 4 and dice.random() < 0.2:
        return [value(depth + 1) for _ in range(dice.randint(0, 3))]
    if depth > 0 and depth < 4 and dice.random() < 0.2:
        return {text() + str(n): value(depth + 1) for n in range(dice.randint(0, 3))}
    return scalar()
def inner():
    return {"p": value(0), "ключ": {"r \"q\"": value(0)}} if dice.random() < 0.9 else None
first = {f"column {n}": "text" for n in range(4)} | {"o": {"p": "text", "ключ": {"r \"q\"": "text"}}}
records = [first]
for _ in range(dice.randint(0, 400)):
    record = {key: value(0) for key in first if key != "o" and dice.random() < 0.9} | {"o": inner()}
    keys = list(record)
    dice.shuffle(keys)
    records.append({key: record[key] for key in keys})
form, indent = dice.choice(["lines", "array", "loose"]), dice.choice([None, 2])
with open(sys.argv[1], "w", newline="", encoding=dice.choice(["utf-8", "utf-8-sig"])) as file:
    if form == "array":
        json.dump(records, file, ensure_ascii=ascii, indent=indent)
    else:
        dumped = [json.dumps(record, ensure_ascii=ascii, indent=indent if form == "loose" else None) for record in records]
        file.write(dice.choice(["\n", "\r\n"]).join(dumped))
"##;

/// Prints the rows: numbers as they are written, what lies in objects side by side, lists as compact JSON.
const READ_JSON: &str = r##"
import json, sys
class Number(str):
    pass
text = open(sys.argv[1], newline="", encoding="utf-8-sig").read()
decoder = json.JSONDecoder(parse_int=Number, parse_float=Number)
records, at = [], 0
while text[at:].strip():
    at += len(text[at:]) - len(text[at:].lstrip())
    record, at = decoder.raw_decode(text, at)
    records += record if isinstance(record, list) else [record]
ascii = all(ord(letter) < 128 for letter in text)
def dump(value):
    if isinstance(value, Number):
        return value
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(key, ensure_ascii=ascii) + ":" + dump(value[key]) for key in value) + "}"
    return json.dumps(value, ensure_ascii=ascii)
def flat(record, around=""):
    cells = {}
    for key, value in record.items():
        cells |= flat(value, around + key + ".") if isinstance(value, dict) else {around + key: value}
    return cells
def cell(value):
    return value if value is None or isinstance(value, str) else dump(value)
columns = list(flat(records[0]))
json.dump([[cell(flat(record).get(column)) for column in columns] for record in records], sys.stdout)
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

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "the file is Python's, not the lake's")]
async fn every_value_equals_pythons() {
    let directory = tempfile::tempdir().unwrap();
    for seed in 0..12 {
        let path = directory.path().join(format!("{seed}.json"));
        let path = path.to_str().unwrap();
        if python(WRITE_JSON, &[path, &seed.to_string()]).is_none() {
            testkit::skip("every_value_equals_pythons", "there is no python3");
            return;
        }
        let theirs: Vec<Row> = serde_json::from_slice(&python(READ_JSON, &[path]).unwrap()).unwrap();
        let lake = Lake::open().await;
        lake.load("t", std::fs::read(path).unwrap()).await;
        let ours = lake.rows("t").await;
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
