//! The same queries over stored tables and over the same rows as VALUES: statistics, bounds and filters that move into
//! scans change nothing.

use std::fmt::Write;

use base::{AsOf, Fault, Version};
use catalog::Mode;
use query::{Answer, Ask};
use serde_json::Value;

use crate::lake::Lake;

const SEED: u64 = 20_260_301;
const QUERIES: usize = 160;

/// Rows of the tables `t` and `u`, file by file: `k` is never NULL, and each other column is for a whole file somewhere.
const T: &[&str] = &[
    "1,1,x,1.5,2024-01-01,true\n2,2,y,-2.5,2024-02-01,false\n3,,,,,\n4,4,xy,8.5,2024-03-01,true\n",
    "5,,x,0.5,2024-01-15,\n6,,y,,2023-12-31,true\n7,,,3.5,,false\n",
    "8,-3,,,2025-01-01,false\n9,1,,,2024-01-01,true\n10,7,,,,\n",
    "11,2,x,1.5,2024-01-01,true\n12,2,z,1e300,2022-01-01,false\n13,9,xz,-0.5,2024-06-01,\n",
    "14,1,x,2.5,,true\n15,,y,,2024-02-01,false\n",
];
const U: &[&str] = &[
    "1,1,x,1.5,2024-01-01,true\n2,,,,,\n3,3,y,2.5,2024-02-01,false\n",
    "4,2,x,-0.5,2024-06-01,true\n5,2,,0.5,2024-01-15,\n",
    "6,,w,,2021-01-01,true\n7,11,,9.5,,false\n8,1,x,1.5,2024-01-01,true\n",
];
const COLUMNS: &[(&str, &str)] =
    &[("k", "BIGINT"), ("a", "BIGINT"), ("b", "VARCHAR"), ("d", "DOUBLE"), ("e", "DATE"), ("f", "BOOLEAN")];

#[tokio::test(flavor = "multi_thread")]
async fn stored_rows_answer_as_values_do() {
    let lake = Lake::open().await;
    let header: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
    for (name, files) in [("t", T), ("u", U)] {
        for rows in files {
            lake.load(name, Mode::Append, format!("{}\n{rows}", header.join(","))).await;
        }
    }
    let values = format!("WITH t AS ({}), u AS ({})", values(T), values(U));
    let mut dice = Dice(SEED);
    let mut faults = Vec::new();
    for _ in 0..QUERIES {
        let sql = dice.query();
        let (stored, expected) = (answer(&lake, &sql).await, answer(&lake, &format!("{values} {sql}")).await);
        if stored != expected {
            faults.push(format!("{sql}\n  stored: {stored:?}\n  values: {expected:?}"));
        }
    }
    assert!(faults.is_empty(), "{} of {QUERIES}, seed {SEED}:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clause_answers_as_as_of_does() {
    let lake = Lake::open().await;
    let header: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
    let (mut versions, mut faults) = (Vec::new(), Vec::new());
    for (t, u) in T.iter().zip(U.iter().chain(&U[..2])) {
        lake.load("t", Mode::Append, format!("{}\n{t}", header.join(","))).await;
        versions.push(lake.load("u", Mode::Replace, format!("{}\n{u}", header.join(","))).await);
    }
    let mut dice = Dice(SEED + 1);
    for round in 0..QUERIES / 4 {
        let (sql, version) = (dice.query(), versions[round % versions.len()]);
        let clause = |name: &str| format!("{name} FOR VERSION AS OF {version}");
        let mut written = format!(" {sql} ");
        for table in ["t", "u"] {
            for before in ["FROM ", "JOIN "] {
                for behind in [" ", ")"] {
                    let (plain, dated) =
                        (format!("{before}{table}{behind}"), format!("{before}{}{behind}", clause(table)));
                    written = written.replace(&plain, &dated);
                }
            }
        }
        let ask = Ask { sql: sql.clone(), as_of: Some(AsOf::Version(Version(version))), params: Vec::new() };
        let (clauses, argument) = (answer(&lake, &written).await, rows(lake.query.run(ask).await).await);
        if clauses != argument {
            faults.push(format!("{written}\n  clauses: {clauses:?}\n  as_of: {argument:?}"));
        }
    }
    assert!(faults.is_empty(), "{} of {}, seed {SEED}:\n{}", faults.len(), QUERIES / 4, faults.join("\n"));
}

/// The rows of a table as a subquery that reads no file.
fn values(files: &[&str]) -> String {
    let cell = |text: &str| if text.is_empty() { "NULL".to_owned() } else { format!("'{text}'") };
    let row = |line: &str| format!("({})", line.split(',').map(cell).collect::<Vec<_>>().join(", "));
    let rows: Vec<String> = files.concat().lines().map(row).collect();
    let column = |(at, (name, ty)): (usize, &(&str, &str))| format!("CAST(column{} AS {ty}) AS {name}", at + 1);
    let columns: Vec<String> = COLUMNS.iter().enumerate().map(column).collect();
    format!("SELECT {} FROM (VALUES {})", columns.join(", "), rows.join(", "))
}

/// The rows in an order of their own, or the code of the error.
async fn answer(lake: &Lake, sql: &str) -> Result<Vec<String>, String> {
    rows(lake.ask(sql).await).await
}

async fn rows(answer: query::Result<Answer>) -> Result<Vec<String>, String> {
    let written = async { answers::json(answer?, 10_000).await }.await;
    let written = written.map_err(|error| format!("{}: {error}", error.code()))?;
    let document: Value = serde_json::from_slice(&written).unwrap();
    let mut rows: Vec<String> = document["rows"].as_array().unwrap().iter().map(Value::to_string).collect();
    rows.sort();
    Ok(rows)
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.roll(among.len())]
    }

    fn column(&mut self) -> &'static str {
        self.pick(&["k", "a", "a", "b", "b", "d", "e", "f"])
    }

    /// A condition on the columns of one table.
    fn condition(&mut self, of: &str, depth: usize) -> String {
        if depth > 0 && self.roll(3) == 0 {
            let (left, right) = (self.condition(of, depth - 1), self.condition(of, depth - 1));
            return format!("({left} {} {right})", self.pick(&["AND", "OR", "AND NOT"]));
        }
        let compare = self.pick(&["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
        match self.roll(14) {
            0 | 1 => format!("{of}.a {compare} {}", self.pick(&["1", "2", "-3", "8", "NULL"])),
            2 => format!("{of}.b {compare} {}", self.pick(&["'x'", "'y'", "'xy'", "''"])),
            3 => format!("{of}.d {compare} {}", self.pick(&["1.5", "0", "100", "-1", "CAST('NaN' AS DOUBLE)"])),
            4 => format!("{of}.e {compare} DATE '2024-01-{}'", self.pick(&["01", "15", "31"])),
            5 => format!("{of}.{} IS {}NULL", self.column(), self.pick(&["", "NOT "])),
            6 => {
                format!("{of}.a {}IN ({})", self.pick(&["", "NOT "]), self.pick(&["1, 2", "1, NULL", "7, 9, 11, 4, 3"]))
            }
            7 => format!("{of}.b {}IN ({})", self.pick(&["", "NOT "]), self.pick(&["'x'", "'x', NULL", "'y', 'z'"])),
            8 => format!("{of}.b {}LIKE '{}'", self.pick(&["", "NOT "]), self.pick(&["x%", "%", "_", "%z"])),
            9 => format!("{of}.a {}BETWEEN 1 AND {}", self.pick(&["", "NOT "]), self.pick(&["2", "8", "0"])),
            10 => format!("{}{of}.f", self.pick(&["", "NOT "])),
            11 => format!("coalesce({of}.a, 2) {compare} 2"),
            12 => format!("{of}.a + {of}.k {compare} 6"),
            _ => format!("{of}.k {compare} {}", self.pick(&["1", "5", "9", "20"])),
        }
    }

    fn where_(&mut self, of: &str) -> String {
        if self.roll(3) == 0 { String::new() } else { format!(" WHERE {}", self.condition(of, 2)) }
    }

    fn order(&mut self) -> &'static str {
        self.pick(&["", " DESC", " NULLS FIRST", " NULLS LAST", " DESC NULLS FIRST", " DESC NULLS LAST"])
    }

    fn query(&mut self) -> String {
        let (t, u) = (self.where_("t"), self.where_("u"));
        let (c, order, few) = (self.column(), self.order(), 1 + self.roll(6));
        match self.roll(14) {
            0 => format!("SELECT k, {c} FROM t{t}"),
            1 => format!("SELECT {c} FROM t{t} ORDER BY {c}{order} LIMIT {few}"),
            2 => format!(
                "SELECT {c}, k FROM t{t} ORDER BY {c}{order}, k{} LIMIT {few} OFFSET 1",
                self.pick(&["", " DESC"])
            ),
            3 => format!("SELECT min({c}), max({c}), count({c}), count(*), sum(a) FROM t{t}"),
            4 => format!("SELECT b, min(a), max({c}), count(*) FROM t{t} GROUP BY b"),
            5 => format!("SELECT max(a) FROM t{t} GROUP BY b ORDER BY max(a){order} LIMIT {few}"),
            6 => format!("SELECT count(*) FROM (SELECT k FROM t{t} LIMIT {few})"),
            7 => format!("SELECT k FROM t WHERE {}{}", self.condition("t", 0), self.membership(&u)),
            8 => {
                let columns = self.pick(&["a", "b", "a, b", "b, f"]);
                let operation =
                    self.pick(&["INTERSECT", "EXCEPT", "UNION", "UNION ALL", "INTERSECT ALL", "EXCEPT ALL"]);
                format!("SELECT {columns} FROM t{t} {operation} SELECT {columns} FROM u{u}")
            }
            9 => {
                let join = self.join();
                format!("SELECT t.k, u.k FROM {join}{t} ORDER BY t.{c}{order}, t.k, u.k LIMIT {few}")
            }
            10 => {
                let join = self.join();
                format!("SELECT count(*), min(t.{c}), max(u.{c}) FROM {join}{u}")
            }
            11 => format!(
                "SELECT x.k, u.k FROM (SELECT * FROM t{t} ORDER BY {c}{order}, k LIMIT {few}) x JOIN u ON x.{c} = u.{c}"
            ),
            _ => format!("SELECT t.k, u.k, t.{c}, u.{c} FROM {}{t}", self.join()),
        }
    }

    fn membership(&mut self, u: &str) -> String {
        let mut condition = String::new();
        let (c, not) = (self.pick(&["a", "b", "d"]), self.pick(&["", "NOT "]));
        let and = self.pick(&["AND", "AND", "OR"]);
        match self.roll(2) {
            0 => write!(condition, " {and} {c} {not}IN (SELECT {c} FROM u{u})").unwrap(),
            _ => write!(condition, " {and} {not}EXISTS (SELECT 1 FROM u WHERE u.{c} = t.{c} AND u.k > 1)").unwrap(),
        }
        condition
    }

    fn join(&mut self) -> String {
        let kind = self.pick(&["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
        let c = self.pick(&["a", "b", "d", "e"]);
        let on = self.pick(&["=", "=", "IS NOT DISTINCT FROM"]);
        let more = match self.roll(4) {
            0 => format!(" AND {}", self.condition("t", 0)),
            1 => format!(" AND {}", self.condition("u", 0)),
            2 => " AND t.f = u.f".to_owned(),
            _ => String::new(),
        };
        let third = if self.roll(4) == 0 { " LEFT JOIN t AS v ON v.a = u.a AND v.k < 9" } else { "" };
        format!("t {kind} u ON t.{c} {on} u.{c}{more}{third}")
    }
}
