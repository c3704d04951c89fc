//! Every answer in every form: for people, as JSON, as CSV, as Markdown; and what shells and manuals are told.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use smokes::stack::{Ground, Site};

use crate::command::{BINARY, Desk};

const PEOPLE: &str = "id,name,city\n1,\"Poe, Ann\",Toledo\n2,Bob | Ray,Lima\n";

fn desk_with_people() -> anyhow::Result<Desk> {
    let desk = Desk::new()?;
    desk.write("people.csv", PEOPLE)?;
    desk.run(&["ingest", "people", "people.csv"])?.ended(0)?;
    Ok(desk)
}

#[test]
fn rows_come_in_four_forms() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    let sql = |form: &str| desk.run(&["sql", "SELECT id, name FROM people ORDER BY id", "--output", form]);
    assert_eq!(sql("csv")?.ended(0)?.out, "id,name\n1,\"Poe, Ann\"\n2,Bob | Ray\n");
    assert_eq!(sql("markdown")?.ended(0)?.out, "| id | name |\n| --: | --- |\n| 1 | Poe, Ann |\n| 2 | Bob \\| Ray |\n");
    assert_eq!(sql("json")?.ended(0)?.json()?["rows"], json!([[1, "Poe, Ann"], [2, "Bob | Ray"]]));
    let drawn = sql("table")?.ended(0)?.out;
    ensure!(drawn.contains("┌") && drawn.contains("│  1 ┆ Poe, Ann"), "{drawn}");
    let list = |form: &str| desk.run(&["catalog", "list", "-o", form]);
    ensure!(list("csv")?.ended(0)?.out.starts_with("name,rows,columns,files,version,updated\npeople,2,3,1,1,"));
    ensure!(list("markdown")?.ended(0)?.out.starts_with("| name | rows | columns |"));
    assert_eq!(list("json")?.ended(0)?.json()?, desk.run(&["catalog", "list", "--json"])?.json()?);
    ensure!(list("yaml")?.ended(2)?.err.contains("markdown"));
    Ok(())
}

/// Each command once, in an order in which each finds what it needs and the last undo what the first did. `FORM` becomes the
/// form that is asked for.
const WALK: [&[&str]; 47] = [
    &["ingest", "people", "people.csv"],
    &["sql", "SELECT id, name FROM people"],
    &["catalog", "list"],
    &["catalog", "show", "people"],
    &["catalog", "history", "people"],
    &["catalog", "pii", "people", "city", "address"],
    &["catalog", "versions"],
    &["catalog", "tag", "first", "1"],
    &["catalog", "tags"],
    &["catalog", "untag", "first"],
    &["catalog", "diff", "1"],
    &["catalog", "rollback", "people", "1"],
    &["catalog", "compact", "--dry-run"],
    &["catalog", "expire", "--keep-last", "50"],
    &["catalog", "sweep"],
    &["ingest", "gone", "people.csv"],
    &["catalog", "drop", "gone"],
    &["compact", "--dry-run"],
    &["expire", "--keep-last", "50"],
    &["sweep"],
    &["backup", "copy-FORM", "--lake", "own"],
    &["restore", "copy-FORM", "--lake", "again-FORM"],
    &["relocate", "--lake", "again-FORM"],
    &["chat", "--providers"],
    &["validate", "playbook", "playbook.json"],
    &["packs", "put", "pack.json"],
    &["packs", "list"],
    &["packs", "show", "one"],
    &["packs", "dry-run", "pack.json"],
    &["packs", "drop", "one"],
    &["extract-json"],
    &["vectors", "create", "points", "--dimension", "2"],
    &["vectors", "create", "others", "--dimension", "2"],
    &["vectors", "add", "points", "points.ndjson"],
    &["vectors", "list"],
    &["vectors", "show", "points"],
    &["vectors", "get", "points", "a"],
    &["vectors", "seal", "points"],
    &["vectors", "recall", "points"],
    &["vectors", "merge", "points", "others"],
    &["vectors", "remove", "points", "a"],
    &["vectors", "delete", "points"],
    &["vectors", "delete", "others"],
    &["evidence", "import", "runs", "runs.jsonl"],
    &["evidence", "tail", "runs"],
    &["config", "check"],
    &["config", "show"],
];
/// Those that open no lake.
const BESIDE: [&[&str]; 4] = [&["doctor"], &["smoke", "list"], &["links", "bin-FORM"], &["man", "--dir", "man-FORM"]];
/// Those that are not walked: they run until they are ended, tell a story, ask models, or say what shells and agents read.
const NOT_WALKED: [&str; 7] = ["serve", "demo", "embed", "iterate", "search", "mcp", "completions"];

/// Every command that has none below it, as its page of the manual is called: `catalog-tag`.
fn leaves(desk: &Desk) -> anyhow::Result<BTreeSet<String>> {
    let pages = desk.run(&["man", "--dir", "pages", "--json"])?.ended(0)?.json()?;
    let pages: Vec<&str> = pages.as_array().context("pages")?.iter().filter_map(Value::as_str).collect();
    let name = |page: &&str| Some(page.strip_prefix("pages/lakehouse-")?.strip_suffix(".1")?.to_owned());
    let all: Vec<String> = pages.iter().filter_map(name).collect();
    let is_leaf = |name: &&String| !all.iter().any(|other| other.starts_with(&format!("{name}-")));
    Ok(all.iter().filter(is_leaf).cloned().collect())
}

#[test]
fn no_command_is_forgotten_when_forms_are_tried() -> anyhow::Result<()> {
    let mut left = leaves(&Desk::new()?)?;
    ensure!(left.len() > 40, "{left:?}");
    for command in WALK.iter().chain(&BESIDE) {
        left.remove(command[0]);
        left.remove(&command.iter().take(2).copied().collect::<Vec<_>>().join("-"));
    }
    ensure!(left == NOT_WALKED.map(str::to_owned).into(), "walk these too, in WALK: {left:?}");
    Ok(())
}

/// Each command that says something, in a form that programs read.
#[tokio::test]
async fn every_command_knows_every_form() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[]).await?;
    let address = stack.gateway()?.trim_start_matches("http://").to_owned();
    let desk = Desk::new()?.with("LAKEHOUSE__GATEWAY__BIND", &address).with("LAKEHOUSE__MODELS__DOWNLOAD", "false");
    desk.write("people.csv", PEOPLE)?;
    desk.run(&["ingest", "people", "people.csv", "--lake", "own"])?.ended(0)?;
    desk.write("points.ndjson", "{\"id\": \"a\", \"vector\": [0, 1]}\n")?;
    desk.write("runs.jsonl", "{\"step\": 1, \"what\": \"x\"}\n")?;
    desk.write("playbook.json", r#"{"operation": "fill: Welder x1 in Toledo", "endorsed_names": ["Ann"]}"#)?;
    let assertion = json!({ "sql": "SELECT 1 WHERE false", "error": "Policy", "reason": "no" });
    desk.write("pack.json", json!({ "name": "one", "kind": "playbook", "assertions": [assertion] }).to_string())?;
    for form in ["csv", "markdown", "json"] {
        for command in WALK.iter().chain(&BESIDE) {
            answers_in(&desk, command, form)?;
        }
    }
    stack.stop().await
}

fn answers_in(desk: &Desk, command: &[&str], form: &str) -> anyhow::Result<()> {
    let mut words: Vec<String> = command.iter().map(|word| word.replace("FORM", form)).collect();
    words.extend(["--output".to_owned(), form.to_owned()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = desk.run_with_input(&words, r#"said: {"a": 1}"#)?;
    // Looking finds something wrong where there is no model, and says so with 1.
    ensure!(ran.code == 0 || (ran.code == 1 && ["doctor", "validate"].contains(&command[0])), "{words:?}: {ran:?}");
    let first = ran.out.lines().next().unwrap_or_default();
    let shown = match form {
        "csv" => (first.contains(',') || first == "value") && !first.contains('{'),
        "markdown" => first.starts_with("| "),
        // Lines of a stream are documents of their own.
        _ if command.contains(&"tail") => ran.out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()),
        _ => ran.json().is_ok(),
    };
    ensure!(shown, "{command:?} in {form}: {}", ran.out);
    ensure!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{command:?} colours a pipe");
    Ok(())
}

#[test]
fn a_pipe_sees_neither_bars_nor_colours_and_a_terminal_heeds_no_color() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    let loaded = desk.run(&["ingest", "people", "people.csv"])?.ended(0)?;
    assert_eq!(loaded.err, "", "a pipe sees no bar");
    let on_terminal = |setting: &str| on_terminal(&desk, &format!("{setting} {BINARY} catalog show people"));
    let Some(bright) = on_terminal("")? else {
        testkit::skip("forms::a_pipe_sees_neither_bars_nor_colours_and_a_terminal_heeds_no_color", "no `script` here");
        return Ok(());
    };
    ensure!(bright.contains("\u{1b}[1mpeople\u{1b}[0m") && bright.contains('┌'), "{bright:?}");
    let plain = on_terminal("NO_COLOR=1")?.unwrap_or_default();
    ensure!(!plain.contains('\u{1b}') && plain.contains('┌'), "{plain:?}");
    Ok(())
}

/// What a line of a shell shows on a terminal, which `script` gives it; none where there is no `script`.
fn on_terminal(desk: &Desk, line: &str) -> anyhow::Result<Option<String>> {
    let mut script = desk.command("script".as_ref());
    let Ok(ran) = script.args(["-qec", &format!("export TERM=xterm; {line}"), "/dev/null"]).output() else {
        return Ok(None);
    };
    Ok(Some(String::from_utf8(ran.stdout)?))
}

/// Whether a terminal obeys a character, or turns those behind it. It ends lines with `\r\n`.
fn is_obeyed(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\r' | '\n' | '\t'))
}

#[test]
fn data_commands_no_terminal_in_any_form_and_stays_exact_in_pipes() -> anyhow::Result<()> {
    const TEST: &str = "forms::data_commands_no_terminal_in_any_form_and_stays_exact_in_pipes";
    const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\u{7f}\u{85}\u{9b}2J\u{9d}\u{202e}\u{2066}\u{200e}\u{200f}\u{61c}";
    let desk = desk_with_people()?;
    desk.write("odd.ndjson", format!("{}\n", json!({ "it": HOSTILE, HOSTILE: 1 })))?;
    desk.write("odd.json", json!({ "operation": HOSTILE, "endorsed_names": [] }).to_string())?;
    desk.write("odd.sql", format!("SELECT '{HOSTILE}' AS \"it{HOSTILE}\""))?;
    desk.run(&["evidence", "import", "odd", "odd.ndjson"])?.ended(0)?;
    desk.run(&["ingest", "odder", "odd.ndjson"])?.ended(0)?;
    let mut commands: Vec<String> =
        ["csv", "json", "ndjson", "markdown", "table"].map(|form| format!("sql --format {form} < odd.sql")).into();
    for form in ["", "-o csv", "-o json", "-o markdown", "-o table"] {
        commands.push(format!("evidence tail odd {form}"));
        commands.push(format!("catalog show odder {form}"));
        commands.push(format!("validate playbook odd.json {form}"));
    }
    for command in commands {
        let Some(shown) = on_terminal(&desk, &format!("NO_COLOR=1 {BINARY} {command}"))? else {
            testkit::skip(TEST, "no `script` here");
            return Ok(());
        };
        ensure!(shown.contains("9b") && !shown.contains(is_obeyed), "{command}: {shown:?}");
    }
    let csv = desk.run_with_input(&["sql", "--format", "csv"], &format!("SELECT '{HOSTILE}' AS it"))?.ended(0)?.out;
    assert_eq!(csv, format!("it\n{HOSTILE}\n"));
    let tail = desk.run(&["evidence", "tail", "odd"])?.ended(0)?.json()?;
    assert_eq!(tail["it"], HOSTILE);
    Ok(())
}

#[tokio::test]
async fn a_stream_is_followed_over_a_gateway_and_on_a_lake() -> anyhow::Result<()> {
    let desk = desk_with_people()?;
    let lake = desk.path().join("lake").display().to_string();
    let stack = Site::holding(BINARY, lake.clone())?.start(&[]).await?;
    let gateway = stack.gateway()?.to_owned();
    let client = client::Client::remote(&gateway)?;
    let append = async |step: u64| -> anyhow::Result<()> {
        let line = json!({ "step": step, "what": "a, b" }).to_string();
        client.append_evidence("runs", &[&line]).await?;
        Ok(())
    };
    let nothing = desk.run(&["evidence", "tail", "runs", "--lake", &lake])?.ended(0)?;
    ensure!(nothing.out.is_empty() && nothing.err.contains("nothing has been appended to runs"), "{nothing:?}");
    for step in 1..=3 {
        append(step).await?;
    }
    let targets = [["--lake", &lake], ["--gateway", &gateway]];
    for target in targets {
        let tail = |more: &[&str]| desk.run(&[&["evidence", "tail", "runs", "-n", "2"], &target[..], more].concat());
        assert_eq!(tail(&[])?.ended(0)?.out, "{\"step\":2,\"what\":\"a, b\"}\n{\"step\":3,\"what\":\"a, b\"}\n");
        assert_eq!(tail(&["-o", "csv"])?.ended(0)?.out, "step,what\n2,\"a, b\"\n3,\"a, b\"\n");
        tail(&["--follow", "-o", "csv"])?.ended(2)?;
    }
    for target in targets {
        follow(&desk, &target, &append).await?;
    }
    desk.run(&["evidence", "tail", "Runs", "--lake", &lake])?.ended(1)?;
    stack.stop().await
}

/// Starts to follow, appends, and sees what was appended.
async fn follow(desk: &Desk, target: &[&str], append: &impl AsyncFn(u64) -> anyhow::Result<()>) -> anyhow::Result<()> {
    use tokio::io::{AsyncBufReadExt, BufReader};

    let mut command = tokio::process::Command::from(desk.command(BINARY.as_ref()));
    command.args(["evidence", "tail", "runs", "-n", "1", "--follow"]).args(target).kill_on_drop(true);
    let mut child = command.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or_else(|| anyhow::anyhow!("no output"))?).lines();
    ensure!(lines.next_line().await?.is_some(), "the last line comes first");
    for step in [10, 11] {
        append(step).await?;
        let line = lines.next_line().await?.unwrap_or_default();
        ensure!(line.contains(&format!("\"step\":{step},")), "{line}");
    }
    Ok(child.kill().await?)
}

#[test]
fn shells_complete_commands() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let script = |shell: &str| Ok::<_, anyhow::Error>(desk.run(&["completions", shell])?.ended(0)?.out);
    ensure!(script("zsh")?.starts_with("#compdef lakehouse"));
    ensure!(script("fish")?.contains("complete -c lakehouse"));
    desk.write("complete.bash", script("bash")?)?;
    let asked = "source ./complete.bash; COMP_WORDS=(lakehouse catalog ro); COMP_CWORD=2; \
                 _lakehouse lakehouse ro catalog; echo \"${COMPREPLY[@]}\"";
    let ran = Command::new("bash").args(["-c", asked]).current_dir(desk.path()).output()?;
    assert_eq!(String::from_utf8(ran.stdout)?, "rollback\n", "{}", String::from_utf8_lossy(&ran.stderr));
    desk.run(&["completions", "tcsh"])?.ended(2)?;
    Ok(())
}

#[test]
fn the_manual_has_a_page_for_each_command() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let page = desk.run(&["man"])?.ended(0)?.out;
    ensure!(page.contains(".TH lakehouse 1") && page.contains("Exit codes"), "{page}");
    let written = desk.run(&["man", "--dir", "man1"])?.ended(0)?.out;
    ensure!(written.lines().any(|file| file == "man1/lakehouse-catalog-tag.1"), "{written}");
    let tag = tokio::runtime::Runtime::new()?
        .block_on(tokio::fs::read_to_string(desk.path().join("man1/lakehouse-catalog-tag.1")))?;
    ensure!(tag.contains("lakehouse catalog tag october"), "{tag}");
    Ok(())
}

#[test]
fn links_are_told_as_json_too() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let made = desk.run(&["links", "bin", "--json"])?.ended(0)?.json()?;
    ensure!(made.as_array().is_some_and(|links| links.contains(&json!("bin/gateway"))), "{made}");
    Ok(())
}

#[test]
fn texts_that_are_not_kept_are_not_found_by_words() -> anyhow::Result<()> {
    let Some(desk) = Desk::with_model("forms::texts_that_are_not_kept_are_not_found_by_words")? else { return Ok(()) };
    desk.write("skills.csv", "id,text\ns1,Drives a forklift\n")?;
    for (index, more, kept) in [("kept", &[][..], true), ("bare", &["--no-keep-text"], false)] {
        desk.run(&["vectors", "create", index])?.ended(0)?;
        desk.run(&[&["vectors", "add", index, "skills.csv"], more].concat())?.ended(0)?;
        let shown = desk.run(&["vectors", "show", index])?.ended(0)?.out;
        ensure!(shown.contains(if kept { "texts are kept" } else { "no texts are kept" }), "{shown}");
        assert_eq!(desk.run(&["vectors", "show", index, "--json"])?.ended(0)?.json()?["keeps_texts"], kept);
        let words = desk.run(&["search", index, "forklift", "--mode", "keyword", "--json"])?.ended(0)?.json()?;
        assert_eq!(words["results"].as_array().map(Vec::len), Some(usize::from(kept)), "{words}");
        let meaning = desk.run(&["search", index, "moves pallets", "--json"])?.ended(0)?.json()?;
        assert_eq!(meaning["results"].as_array().map(Vec::len), Some(1), "{meaning}");
    }
    Ok(())
}
