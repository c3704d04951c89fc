//! What becomes of a server that is asked for long, whose calls are long, and whose gateway dies.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use smokes::stack::{Ground, Site, Stack};

use super::talk::{REVISION, Talk, calling, hello, text};
use super::{desk, post};
use crate::command::{BINARY, Desk};

/// How many calls must leave nothing behind.
const CALLS: usize = 10_000;
/// What the memory may be more after them than before, in KiB: caches and the allocator's arenas have been filled
/// before, so that what is lost with each call would show: 16 MiB are 1.6 KiB a call.
const GROWTH: u64 = 16 << 10;
/// A query that ends when somebody ends it.
const ENDLESS: &str = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n % 7 + 1 FROM r) SELECT count(*) FROM r";

/// Asks in turn what agents ask.
fn asked(talk: &mut Talk, calls: usize) -> anyhow::Result<()> {
    for call in 0..calls {
        let answer = match call % 5 {
            0 | 1 => talk.call("list_datasets", &json!({}))?,
            2 => talk.ask("tools/list", &json!({}))?,
            3 => talk.ask("resources/list", &json!({}))?,
            _ => talk.call("query_sql", &json!({ "sql": "DROP TABLE workers" }))?,
        };
        let refused = answer["isError"] == true;
        ensure!(refused == (call % 5 == 4) && answer["code"].is_null(), "call {call}: {answer}");
    }
    Ok(())
}

/// The resident memory of a process in KiB, and its open files.
#[expect(clippy::disallowed_methods, reason = "a test looks at a process")]
fn held(process: u32) -> anyhow::Result<(u64, usize)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let files = std::path::Path::new(&format!("/proc/{process}/fd")).read_dir()?.count();
    Ok((memory.trim().trim_end_matches(" kB").parse()?, files))
}

fn calls_leave_nothing_behind(desk: &Desk, arguments: &[&str]) -> anyhow::Result<()> {
    let mut talk = Talk::start(desk, arguments)?;
    asked(&mut talk, CALLS / 5)?;
    let (memory, files) = held(talk.id())?;
    asked(&mut talk, CALLS)?;
    let (memory_after, files_after) = held(talk.id())?;
    let grown = memory_after.saturating_sub(memory);
    ensure!(grown < GROWTH, "{arguments:?}: the memory grew by {grown} KiB");
    ensure!(files_after <= files, "{arguments:?}: {files} open files became {files_after}");
    talk.end()
}

#[test]
fn ten_thousand_calls_of_a_lake_leave_nothing_behind() -> anyhow::Result<()> {
    let desk = desk()?;
    let lake = desk.path().join("lake").display().to_string();
    calls_leave_nothing_behind(&desk, &["--lake", &lake])
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_of_a_gateway_leave_nothing_behind() -> anyhow::Result<()> {
    let (desk, stack) = served().await?;
    calls_leave_nothing_behind(&desk, &["--gateway", stack.gateway()?])?;
    stack.stop().await
}

async fn served() -> anyhow::Result<(Desk, Stack)> {
    let desk = desk()?;
    let stack = Site::holding(BINARY, desk.path().join("lake").display().to_string())?.start(&[]).await?;
    Ok((desk.with("RUST_LOG", "trace"), stack))
}

/// A call of `sql` that wants to be heard from as `token`.
fn followed(sql: &str, token: &str) -> Value {
    let mut call = calling("query_sql", &json!({ "sql": sql }));
    call["_meta"] = json!({ "progressToken": token });
    call
}

/// Reads the news of the call `token`: each is further than the one before.
fn hear_twice(talk: &mut Talk, token: &str) -> anyhow::Result<()> {
    for expected in [1, 2] {
        let news = talk.heard()?;
        ensure!(news["method"] == "notifications/progress", "no news: {news}");
        let (told, progress) = (&news["params"]["progressToken"], news["params"]["progress"].as_f64());
        ensure!(told == token && progress == Some(f64::from(expected)), "other news: {news}");
        ensure!(news["params"]["total"] == 30.0, "{news}");
    }
    Ok(())
}

/// SIGKILL of the gateway while a call is under way, with the log at its loudest: that call and every later one are
/// answered as errors that can be read, and what needs no gateway is answered as before.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_during_a_call_is_an_answer() -> anyhow::Result<()> {
    let (desk, stack) = served().await?;
    let mut talk = Talk::start(&desk, &["--gateway", stack.gateway()?])?;
    let answer = talk.call("query_sql", &json!({ "sql": "SELECT count(*) FROM workers" }))?;
    ensure!(answer["structuredContent"]["rows"] == json!([[300]]), "{answer}");
    let asked = talk.send("tools/call", &followed(ENDLESS, "long"))?;
    hear_twice(&mut talk, "long")?;
    stack.kill().await?;
    let broken = loop {
        let message = talk.heard()?;
        if message["method"].is_null() {
            break message;
        }
    };
    ensure!(broken["id"] == asked && broken["result"]["isError"] == true, "{broken}");
    ensure!(text(&broken["result"]).starts_with("client."), "{broken}");
    for _ in 0..3 {
        let refused = talk.call("list_datasets", &json!({}))?;
        ensure!(text(&refused).starts_with("client.unreachable"), "{refused}");
        ensure!(talk.ask("tools/list", &json!({}))?["tools"].is_array(), "the tools are still told");
        let resources = talk.ask("resources/list", &json!({}))?;
        ensure!(resources["resources"].as_array().is_some_and(|all| all.len() == 2), "{resources}");
    }
    talk.end()
}

/// A gateway that takes a request and never answers it; what it answers, the moment its client has gone.
fn hanging() -> anyhow::Result<(String, TcpListener)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok((format!("http://{}", listener.local_addr()?), listener))
}

/// The first line of a request, once it is there.
fn request(connection: &TcpStream) -> anyhow::Result<String> {
    let mut line = String::new();
    BufReader::new(connection.try_clone()?).read_line(&mut line)?;
    Ok(line)
}

/// Waits for the end of a connection, which comes when the client has given up.
fn given_up(mut connection: TcpStream) -> anyhow::Result<()> {
    connection.read_to_end(&mut Vec::new()).map(drop).context("it broke otherwise")
}

#[test]
fn a_long_call_is_heard_from_and_ends_at_the_gateway_when_it_is_cancelled() -> anyhow::Result<()> {
    let (url, gateway) = hanging()?;
    let mut talk = Talk::start(&Desk::new()?, &["--gateway", &url])?;
    let asked = talk.send("tools/call", &followed("SELECT 1", "news"))?;
    let (connection, _) = gateway.accept()?;
    ensure!(request(&connection)?.starts_with("POST /v1/sql "), "another request");
    hear_twice(&mut talk, "news")?;
    talk.tell("notifications/cancelled", &json!({ "requestId": asked, "reason": "enough" }))?;
    given_up(connection)?;
    // What was cancelled is not answered, and the next question is.
    ensure!(talk.ask("tools/list", &json!({}))?["tools"].is_array(), "no tools");
    // Nobody hears of a call that asked for no news.
    let search = calling("search_text", &json!({ "index": "people", "text": "a welder" }));
    let asked = talk.send("tools/call", &search)?;
    let (connection, _) = gateway.accept()?;
    ensure!(request(&connection)?.starts_with("POST /v1/vectors/index/people/search "), "another request");
    talk.tell("notifications/cancelled", &json!({ "requestId": asked }))?;
    given_up(connection)?;
    talk.end()
}

/// Over HTTP the news are events, and whoever hangs up has cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_call_over_http_is_heard_from_and_ends_with_its_connection() -> anyhow::Result<()> {
    let (url, queryd) = hanging()?;
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start_roles(&["gateway"], &[&format!("upstreams.queryd={url}")]).await?;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": followed("SELECT 1", "news") });
    let mut agent = post(&format!("{}/mcp", stack.gateway()?), "", &call.to_string())?;
    let (connection, _) = queryd.accept()?;
    ensure!(request(&connection)?.starts_with("POST /sql "), "another request");
    let (mut heard, mut piece) = (String::new(), [0; 4096]);
    while heard.matches("notifications/progress").count() < 2 {
        let length = agent.read(&mut piece)?;
        ensure!(length > 0, "the answer ended: {heard}");
        heard.push_str(std::str::from_utf8(&piece[..length])?);
    }
    ensure!(heard.contains("text/event-stream"), "{heard}");
    drop(agent);
    given_up(connection)?;
    stack.stop().await
}

/// Lines that are no messages are complained of at most, and the next question is answered.
#[test]
fn what_is_no_message_does_not_end_the_conversation() -> anyhow::Result<()> {
    let desk = desk()?;
    let lake = desk.path().join("lake").display().to_string();
    let mut talk = Talk::start(&desk, &["--lake", &lake])?;
    for line in [
        &b"garbage"[..],
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[1, 2]",
        br#"{"jsonrpc":"1.0","id":9,"method":"ping"}"#,
        br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        br#"{"jsonrpc":"2.0","id":-1,"method":"tools/call","params":{"name":5}}"#,
        br#"{"jsonrpc":"2.0","id":-1,"method":"no/such"}"#,
        br#"{"jsonrpc":"2.0","id":-1,"result":{}}"#,
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":12345}}"#,
        &[b'['; 100_000],
        &[b'x'; 5 << 20],
    ] {
        talk.say(line)?;
        let asked = talk.send("ping", &json!({}))?;
        loop {
            let message = talk.heard()?;
            if message["id"] == asked {
                break;
            }
            ensure!(message["error"].is_object(), "{message}");
        }
    }
    talk.end()
}

#[test]
fn what_cannot_be_taken_is_told() -> anyhow::Result<()> {
    let desk = desk()?;
    let lake = desk.path().join("lake").display().to_string();
    let mut talk = Talk::start(&desk, &["--lake", &lake])?;
    for params in [json!({}), json!({ "name": "query_sql", "arguments": [1] })] {
        assert_eq!(talk.ask("tools/call", &params)?["code"], -32602, "{params}");
    }
    assert_eq!(talk.ask("tools/shout", &json!({}))?["code"], -32601);
    talk.say(b"{bad json")?;
    let told = talk.heard()?;
    assert_eq!((&told["error"]["code"], told.get("id")), (&json!(-32700), Some(&Value::Null)));
    talk.end()?;

    let full = std::fs::File::options().write(true).open("/dev/full")?;
    let mut deaf = desk.command(BINARY.as_ref());
    let mut deaf = deaf.args(["mcp", "--lake", &lake]).stdout(full).spawn()?;
    let asked = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello(REVISION) });
    deaf.stdin.take().context("standard input")?.write_all(asked.to_string().as_bytes())?;
    let ended = deaf.wait_with_output()?;
    let said = String::from_utf8(ended.stderr)?;
    ensure!(!ended.status.success() && said.contains("is not taken") && !said.contains("::"), "{said}");
    Ok(())
}

#[tokio::test]
async fn what_is_no_message_is_refused_over_http_in_the_words_of_the_protocol() -> anyhow::Result<()> {
    let stack = Site::new(&Ground::directory(BINARY))?.start(&[]).await?;
    let address = stack.gateway()?.trim_start_matches("http://").to_owned();
    for (body, code) in [("{bad json", "-32700"), (r#"{"foo":1}"#, "-32600")] {
        let mut stream = TcpStream::connect(&address)?;
        let head = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\nConnection: close";
        let length = body.len();
        write!(stream, "POST /mcp HTTP/1.1\r\nHost: {address}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(code), "{answer}");
        ensure!(answer.contains(r#""id":null"#), "{answer}");
    }
    stack.stop().await
}

/// Each revision that agents still speak is answered in itself, and one that nobody knows in one that the server speaks.
#[test]
fn older_revisions_are_spoken() -> anyhow::Result<()> {
    let desk = desk()?;
    let lake = desk.path().join("lake").display().to_string();
    for (asked, told) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("1999-12-31", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let mut talk = Talk::unacquainted(&desk, &["--lake", &lake])?;
        let answer = talk.ask("initialize", &hello(asked))?;
        ensure!(answer["protocolVersion"] == told, "{asked}: {answer}");
        talk.tell("notifications/initialized", &json!({}))?;
        let answer = talk.call("query_sql", &json!({ "sql": "SELECT 1" }))?;
        ensure!(text(&answer).contains("[[1]]"), "{asked}: {answer}");
        talk.end()?;
    }
    Ok(())
}
