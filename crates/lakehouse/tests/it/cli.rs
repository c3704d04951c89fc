//! The command line: shapes, exit codes, and one code path for a lake and a gateway.

use serde_json::json;
use smokes::stack::{Ground, Site};

use crate::command::{BINARY, Desk};

const PEOPLE: &str = "id,name,city\n1,Alice,Toledo\n2,Bob,Lima\n";

fn desk_with_people() -> anyhow::Result<Desk> {
    let desk = Desk::new()?;
    desk.write("people.csv", PEOPLE)?;
    desk.run(&["ingest", "people", "people.csv", "--lake", "lake"])?.ended(0)?;
    Ok(desk)
}

#[test]
fn help_names_the_exit_codes_and_nonsense_is_usage() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    assert!(desk.run(&["--help"])?.ended(0)?.out.contains("Exit codes"));
    desk.run(&["nonsense"])?.ended(2)?;
    for told in [&["--help"][..], &["--version"], &["help", "sql"]] {
        let full = std::fs::File::options().write(true).open("/dev/full")?;
        let ended = desk.command(BINARY.as_ref()).args(told).stdout(full).status()?;
        assert_eq!(ended.code(), Some(1), "{told:?} was not told to anybody");
    }
    desk.run(&["sql", "SELECT 1", "--as-of", "no such thing"])?.ended(2)?;
    desk.run(&["sql", "SELECT 1", "--lake", "a", "--gateway", "http://127.0.0.1:1"])?.ended(2)?;
    Ok(())
}

#[test]
fn a_file_becomes_a_table_that_answers() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.write("people.csv", PEOPLE)?;
    let loaded = desk.run(&["ingest", "people", "people.csv", "--json"])?.ended(0)?.json()?;
    assert_eq!(loaded["existing"], false);
    assert_eq!(loaded["row_count"], 2);
    assert!(desk.path().join("lake/_lake/format.json").exists(), "the default lake is ./lake");
    let again = desk.run(&["ingest", "people", "people.csv", "--json"])?.ended(0)?.json()?;
    assert_eq!((&again["existing"], &again["version"]), (&json!(true), &loaded["version"]));

    let answer = desk.run(&["sql", "SELECT * FROM people ORDER BY id", "--json"])?.ended(0)?.json()?;
    assert_eq!(answer["rows"], json!([[1, "Alice", "Toledo"], [2, "Bob", "Lima"]]));
    assert_eq!(answer["columns"][0], json!({ "name": "id", "type": "BIGINT" }));
    let csv = desk.run(&["sql", "SELECT name, city FROM people ORDER BY id"])?.ended(0)?;
    assert_eq!(csv.out.replace("\r\n", "\n"), "name,city\nAlice,Toledo\nBob,Lima\n");
    let table = desk.run(&["sql", "SELECT name FROM people WHERE id = $1", "--param", "2", "--format", "table"])?;
    assert!(table.ended(0)?.out.contains("Bob"));
    Ok(())
}

/// `{"id":1,"at":{"city":"Lima"}}` and `{"id":2}`, each on a line, packed with gzip.
const PACKED: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xab\x56\xca\x4c\x51\xb2\x32\xd4\x51\x4a\x2c\x51\xb2\xaa\
    \x56\x4a\xce\x2c\xa9\x54\xb2\x52\xf2\xc9\xcc\x4d\x54\xaa\xad\xe5\xaa\x06\xcb\x1a\xd5\x72\x01\0\
    \x98\x86\x49\x59\x27\0\0\0";

#[test]
fn packed_json_is_told_by_its_content() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.write("people.json.gz", PACKED)?;
    desk.run(&["ingest", "people", "people.json.gz"])?.ended(0)?;
    let answer = desk.run(&["sql", "SELECT id, \"at.city\" FROM people ORDER BY id", "--json"])?.ended(0)?.json()?;
    assert_eq!(answer["rows"], json!([[1, "Lima"], [2, null]]));
    let refused = desk.run(&["ingest", "people", "people.json.gz", "--format", "parquet"])?;
    assert!(refused.ended(1)?.err.contains("begins like ndjson"));
    Ok(())
}

#[test]
fn files_and_statements_come_through_standard_input() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.run_with_input(&["ingest", "people", "-"], PEOPLE)?.ended(0)?;
    let script = "SELECT COUNT(*) AS n FROM people; -- then;\nSELECT 'a;b' AS t";
    let answers = desk.run_with_input(&["sql", "--format", "ndjson"], script)?.ended(0)?;
    assert_eq!(answers.out, "{\"n\":2}\n{\"t\":\"a;b\"}\n");
    Ok(())
}

#[test]
fn columns_are_added_and_classified() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    desk.write("wider.csv", "id,name,city,mail\n3,Cy,Akron,cy@example.org\n")?;
    let append = ["ingest", "people", "wider.csv", "--mode", "append"];
    desk.run(&append)?.ended(5)?;
    desk.run(&[&append[..], &["--evolve", "add"]].concat())?.ended(0)?;
    let answer = desk.run(&["sql", "SELECT id, mail FROM people ORDER BY id", "--json"])?.ended(0)?.json()?;
    assert_eq!(answer["rows"], json!([[1, null], [2, null], [3, "cy@example.org"]]));
    desk.run(&["catalog", "pii", "people", "city", "address"])?.ended(0)?;
    let show = desk.run(&["catalog", "show", "people", "--json"])?.ended(0)?.json()?;
    assert_eq!(show["schema"]["fields"][2]["pii"], "address");
    desk.run(&["catalog", "pii", "people", "city", "none"])?.ended(0)?;
    let show = desk.run(&["catalog", "show", "people", "--json"])?.ended(0)?.json()?;
    assert_eq!(show["schema"]["fields"][2]["pii"], json!(null));
    Ok(())
}

#[test]
fn a_load_may_name_its_source_instead_of_a_file() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    let path = desk.path().join("people.csv");
    let path = path.to_str().unwrap_or_default();
    let from = ["ingest", "copy", "--lake", "lake", "--from-path", path];
    desk.run(&from)?.ended(1)?;
    let allowed = format!("ingestd.allowed_roots=[{:?}]", desk.path());
    let loaded = desk.run(&[&from[..], &["--set", &allowed, "--json"]].concat())?.ended(0)?.json()?;
    assert_eq!(loaded["row_count"], 2);
    desk.run(&["ingest", "copy", "--lake", "lake", "--from-object", "absent"])?.ended(4)?;
    desk.run(&["ingest", "copy", "people.csv", "--from-object", "x"])?.ended(2)?;
    desk.run(&["ingest", "copy"])?.ended(2)?;
    Ok(())
}

#[test]
fn the_catalog_shows_versions_of_each() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    desk.write("more.csv", "id,name,city\n3,Cy,Akron\n")?;
    desk.run(&["ingest", "people", "more.csv", "--mode", "append"])?.ended(0)?;
    let folder = desk.run(&["ingest", "people", ".", "--lake", "none"])?.ended(1)?;
    assert!(folder.err.contains("it is a directory"), "{}", folder.err);
    let list = desk.run(&["catalog", "list", "--json"])?.ended(0)?.json()?;
    assert_eq!(list["datasets"][0]["name"], "people");
    assert_eq!(list["datasets"][0]["row_count"], 3);
    let show = desk.run(&["catalog", "show", "people", "--as-of", "1", "--json"])?.ended(0)?.json()?;
    assert_eq!(show["row_count"], 2);
    let history = desk.run(&["catalog", "history", "people", "--json"])?.ended(0)?.json()?;
    assert_eq!(history.as_array().map(Vec::len), Some(2));
    let versions = desk.run(&["catalog", "versions", "--json"])?.ended(0)?.json()?;
    assert_eq!(versions[0]["version"], 2);
    let then = desk.run(&["sql", "SELECT COUNT(*) AS n FROM people", "--as-of", "1"])?.ended(0)?;
    assert_eq!(then.out.replace("\r\n", "\n"), "n\n2\n");
    Ok(())
}

#[test]
fn exit_codes_say_what_to_do() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    desk.write("drift.csv", "id,name\n1,Alice\n")?;
    desk.write("bad.csv", "id,name,city\n1,Alice,Toledo,too,long\n")?;
    desk.run(&["sql", "SELECT * FROM nowhere"])?.ended(1)?;
    desk.run(&["ingest", "people", "absent.csv"])?.ended(1)?;
    desk.run(&["ingest", "people", "bad.csv"])?.ended(1)?;
    desk.run(&["sql", "SELECT 1", "--gateway", "http://127.0.0.1:9"])?.ended(3)?;
    desk.run(&["catalog", "show", "nowhere"])?.ended(4)?;
    let drift = desk.run(&["ingest", "people", "drift.csv", "--json"])?.ended(5)?;
    let problem: serde_json::Value = serde_json::from_str(drift.err.trim())?;
    assert_eq!(problem["code"], "catalog.schema_drift");
    assert!(!problem["diff"].is_null(), "{problem}");
    Ok(())
}

#[test]
fn a_lake_that_is_only_read_is_not_made() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    for command in [&["sql", "SELECT 1"][..], &["catalog", "list"]] {
        let refused = desk.run(&[command, &["--lake", "deep/down/lake"]].concat())?.ended(4)?;
        assert!(refused.err.contains("no such lake") && refused.err.contains("deep/down/lake"), "{}", refused.err);
        assert!(!desk.path().join("deep").exists());
        desk.run(&[command, &["--lake", "lake"]].concat())?.ended(0)?;
        desk.run(&[command, &["--lake", "memory:"]].concat())?.ended(0)?;
    }
    Ok(())
}

#[test]
fn refused_rows_are_named_with_their_lines() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.write("bad.csv", "id,name\n1,Alice\n2,Bob,extra\n3,Cy\n")?;
    let refused = desk.run(&["ingest", "people", "bad.csv"])?.ended(1)?;
    assert!(refused.err.contains('3'), "{}", refused.err);
    let kept = desk.run(&["ingest", "people", "bad.csv", "--on-error", "skip"])?.ended(0)?;
    assert!(kept.out.contains("line 3"), "{}", kept.out);
    Ok(())
}

#[tokio::test]
async fn a_gateway_and_a_lake_answer_alike() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    let site = Site::holding(BINARY, desk.path().join("lake").display().to_string())?;
    let stack = site.start(&[]).await?;
    for arguments in [&["catalog", "list"][..], &["sql", "SELECT name FROM people ORDER BY id", "--format", "csv"]] {
        let near = desk.run(&[arguments, &["--lake", "lake"]].concat())?.ended(0)?;
        let far = desk.run(&[arguments, &["--gateway", stack.gateway()?]].concat())?.ended(0)?;
        assert_eq!(near.out, far.out);
    }
    // What another process commits to the lake is seen by the running one.
    desk.write("more.csv", "id,name,city\n3,Cy,Akron\n")?;
    desk.run(&["ingest", "people", "more.csv", "--mode", "append", "--lake", "lake"])?.ended(0)?;
    let seen =
        desk.run(&["sql", "SELECT COUNT(*) AS n FROM people", "--gateway", stack.gateway()?, "--format", "ndjson"])?;
    assert_eq!(seen.ended(0)?.out, "{\"n\":3}\n");
    stack.stop().await
}

#[tokio::test]
async fn a_running_gateway_at_the_usual_port_is_found() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[]).await?;
    let address = stack.gateway()?.trim_start_matches("http://").to_owned();
    let desk = Desk::new()?.with("LAKEHOUSE__GATEWAY__BIND", &address);
    desk.write("people.csv", PEOPLE)?;
    desk.run(&["ingest", "people", "people.csv"])?.ended(0)?;
    assert!(!desk.path().join("lake").exists(), "the gateway was asked, no lake was made here");
    stack.stop().await
}

#[test]
fn versions_are_tagged_compared_and_gone_back_to() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    let catalog = |arguments: &[&str]| desk.run(&[&["catalog"], arguments, &["--lake", "lake"]].concat());
    assert_eq!(catalog(&["tag", "good"])?.ended(0)?.out, "good names version 1\n");
    desk.write("people.csv", "id,name,city\n3,Cy,Oslo\n")?;
    desk.run(&["ingest", "people", "people.csv", "--lake", "lake"])?.ended(0)?;
    assert_eq!(catalog(&["tag", "good", "3"])?.ended(0)?.out, "good names version 3, no longer 1\n");
    assert_eq!(catalog(&["tag", "first", "1", "--json"])?.ended(0)?.json()?, json!({ "tag": "first", "version": 1 }));
    assert_eq!(catalog(&["tags"])?.ended(0)?.out, "tag\tversion\nfirst\t1\ngood\t3\n");
    let diff = catalog(&["diff", "good", "--from", "first"])?.ended(0)?.out;
    let lines: Vec<&str> = diff.lines().collect();
    assert_eq!(lines[0], "what\tname\tchange\trows added\trows removed\trows\tcolumns");
    assert_eq!(lines[1], "table\tpeople\tchanged\t1\t2\t1\t");
    assert_eq!(lines[2], "tag\tgood\tcreated, version 1\t\t\t\t");
    let back = catalog(&["rollback", "people", "first"])?.ended(0)?;
    assert_eq!(back.out, "people is so again, as of version 6: 2 rows\n");
    assert!(catalog(&["rollback", "people", "first"])?.ended(0)?.out.contains("is so already"));
    assert!(
        catalog(&["history", "people"])?.ended(0)?.out.lines().nth(1).is_some_and(|line| line.contains("rollback"))
    );
    let gone = catalog(&["drop", "people"])?.ended(0)?;
    assert_eq!(gone.out, "people is gone as of version 7\n");
    assert!(gone.err.contains("lakehouse catalog rollback people 6"));
    assert_eq!(catalog(&["rollback", "people", "6", "--json"])?.ended(0)?.json()?["row_count"], 2);
    assert_eq!(catalog(&["untag", "first"])?.ended(0)?.out, "first names nothing now\n");
    let nothing = catalog(&["untag", "first"])?.ended(4)?.err;
    assert!(nothing.contains("there is no tag first") && !nothing.contains("near:"), "{nothing}");
    assert_eq!(catalog(&["versions", "--json"])?.ended(0)?.json()?.as_array().map(Vec::len), Some(9));
    let told = catalog(&["versions"])?.ended(0)?.out;
    assert!(told.starts_with("version\tat\tcommits\tauthor\tmessage\n9\t"), "{told}");
    assert!(told.lines().nth(1).is_some_and(|line| line.ends_with("\tdrop tag first")), "{told}");
    catalog(&["diff", "no such version"])?.ended(2)?;
    Ok(())
}

/// A terminal whose input has ended before the prompt reads it: `script` says so at once.
#[test]
fn the_prompt_ends_with_its_input() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.write("people.csv", "name\nAnn\n")?;
    desk.run(&["ingest", "people", "people.csv"])?.ended(0)?;
    let mut command = desk.command("timeout".as_ref());
    command.args(["120", "script", "-qec", &format!("{BINARY} sql"), "/dev/null"]).stdin(std::process::Stdio::null());
    let ended = match command.output() {
        Ok(ended) if ended.status.code() != Some(127) => ended,
        _ => {
            testkit::skip("cli::the_prompt_ends_with_its_input", "no `script` here");
            return Ok(());
        }
    };
    let said = String::from_utf8_lossy(&ended.stdout);
    anyhow::ensure!(ended.status.success() && said.contains("helps"), "{}: {said}", ended.status);
    Ok(())
}
