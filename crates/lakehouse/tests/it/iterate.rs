//! Proposals on the command line, and sessions with a real small model: one that fails first and is corrected, and one
//! that exhausts, behind a server and inside the process.

use anyhow::ensure;
use serde_json::{Value, json};
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};
use testkit::{Talker, Talkers};

use crate::command::{BINARY, Desk};

const WORKERS: &str = "worker_id,name,role,city,status\n\
    1,Ann Poe,Welder,Toledo,active\n2,Bob Ray,Welder,Lima,active\n3,Cy Orr,Welder,Toledo,on leave\n";

/// A contract for one welder, always answered with the likeliest words.
fn asked(model: &str, city: &str, more: Value) -> Value {
    let mut asked = json!({
        "kind": "fill", "prompt": format!("Find one welder for a contract in {city}."), "model": model,
        "temperature": 0, "max_tokens": 60, "max_iterations": 2,
        "context": { "target_count": 1, "city": city, "role": "Welder" },
    });
    if let (Some(asked), Some(more)) = (asked.as_object_mut(), more.as_object()) {
        asked.extend(more.clone());
    }
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_model_is_corrected_or_exhausts() -> anyhow::Result<()> {
    let Some(servers) = Talkers::start("iterate::a_real_model_is_corrected_or_exhausts") else { return Ok(()) };
    let site = Site::new(&Ground::directory(BINARY))?;
    let settings = [
        "models.providers.llama.kind=openai".to_owned(),
        // It shares its cores with whatever else the machine does.
        "models.providers.llama.timeout=10m".to_owned(),
        format!("models.providers.llama.url={}", servers.openai()),
    ];
    let stack = site.start(&settings.each_ref().map(String::as_str)).await?;
    corrected_or_exhausts(&Probe::of(stack.gateway()?)?, "llama/smollm2").await?;
    stack.stop().await
}

/// The same with nothing outside the process, and what else the embedded model is asked over HTTP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_model_is_corrected_or_exhausts() -> anyhow::Result<()> {
    let test = "iterate::the_embedded_model_is_corrected_or_exhausts";
    let Some(directory) = Talkers::model(test) else { return Ok(()) };
    let site = Site::new(&Ground::directory(BINARY))?;
    let settings = ["chatd.default_provider=embedded".to_owned(), format!("models.chat_dir={}", directory.display())];
    let stack = site.start(&settings.each_ref().map(String::as_str)).await?;
    let probe = Probe::of(stack.gateway()?)?;
    corrected_or_exhausts(&probe, "SmolLM2-135M-Instruct").await?;

    let listed = probe.get("/v1/chat/providers").await?.expect(200)?.json()?;
    let expected = json!({ "name": "embedded", "kind": "embedded", "default": true, "has_key": true });
    ensure!(listed["providers"].as_array().is_some_and(|all| all.contains(&expected)), "there are {listed}");
    let messages = json!([{ "role": "user", "content": "We need two bakers in Toledo." }]);
    let schema = json!({
        "type": "object", "required": ["role", "count"],
        "properties": { "role": { "enum": ["welder", "baker"] }, "count": { "type": "integer", "minimum": 1, "maximum": 9 } },
    });
    let mut question =
        json!({ "model": "SmolLM2-135M-Instruct", "messages": messages, "temperature": 0, "format": schema });
    let whole = probe.post("/v1/chat", &question).await?.expect(200)?.json()?;
    let content = whole["content"].as_str().unwrap_or_default();
    let shaped: Value = serde_json::from_str(content)?;
    ensure!(shaped["count"].is_i64() && ["welder", "baker"].contains(&shaped["role"].as_str().unwrap_or_default()));
    ensure!((&whole["provider"], &whole["finish_reason"]) == (&json!("embedded"), &json!("stop")), "it says {whole}");
    let mut streaming = question.clone();
    streaming["stream"] = json!(true);
    let streamed = probe.post("/v1/chat/completions", &streaming).await?.expect(200)?;
    let streamed = String::from_utf8_lossy(&streamed.body);
    let events = streamed.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    let told: String =
        events.filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect();
    ensure!(told == content, "it streams {streamed}");
    question["format"] = json!({ "type": "string", "pattern": "^a" });
    let refused = probe.post("/v1/chat", &question).await?.expect(400)?.json()?;
    ensure!(refused["code"] == "models.bad_schema" && refused["place"] == "/", "it says {refused}");
    stack.stop().await
}

async fn corrected_or_exhausts(probe: &Probe, model: &str) -> anyhow::Result<()> {
    probe.ingest("name=workers", WORKERS).await?.expect(200)?;
    // Chatter is no proposal; held to the form and to whom it was shown, the model proposes somebody who exists.
    let corrected = asked(model, "Toledo", json!({ "trace_id": "corrected", "retrieve": {} }));
    let session = probe.post("/v1/iterate", &corrected).await?.expect(200)?.json()?;
    ensure!(session["iterations"] == 2, "it takes {session}");
    ensure!(session["history"][0]["status"]["kind"] != "accepted", "it begins with {session}");
    ensure!(session["artifact"]["fills"][0]["candidate_id"] == "W-1", "it ends with {session}");
    // Shown nobody, it can only guess, and guesses somebody who does not fit or does not exist.
    let exhausted = asked(model, "Lima", json!({ "trace_id": "exhausted" }));
    let exhausted = probe.post("/v1/iterate", &exhausted).await?.expect(422)?.json()?;
    let last = &exhausted["history"][1]["status"];
    ensure!(exhausted["iterations"] == 2 && last["kind"] == "validation_failed", "it says {exhausted}");
    ensure!(last["error"]["Consistency"]["reason"].is_string(), "it is refused with {last}");
    let sessions = "SELECT session_id, final_verdict, iterations, artifact IS NULL FROM sessions ORDER BY session_id";
    let rows = probe.sql(sessions).await?.expect(200)?.json()?;
    let expected = json!([["corrected", "accepted", 2, false], ["exhausted", "max_iter_exhausted", 2, true]]);
    ensure!(rows["rows"] == expected, "the stream holds {rows}");
    let grounded = "SELECT grounded_in_roster FROM sessions WHERE final_verdict = 'accepted'";
    ensure!(probe.sql(grounded).await?.expect(200)?.json()?["rows"] == json!([[true]]), "what counts is not grounded");
    Ok(())
}

/// What one process says to another's models is written down by the one that knows whose step it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_across_processes_are_recorded_once() -> anyhow::Result<()> {
    let proposal = json!({ "fills": [{ "candidate_id": "W-1", "name": "Ann Poe" }] }).to_string();
    let talker = Talker::start([proposal]);
    let site = Site::new(&Ground::directory(BINARY))?;
    let url = format!("models.providers.corp.url={}", talker.url());
    let chatd = site.start_roles(&["chatd"], &["models.providers.corp.kind=openai", &url]).await?;
    let hello = json!({ "model": "corp/m", "messages": [{ "role": "user", "content": "Hello" }], "trace_id": "c" });
    let lost = Probe::of(&chatd.ready.roles["chatd"])?.post("/chat", &hello).await?.expect(503)?.json()?;
    ensure!(lost["code"] == "flows.not_recorded", "where no lake is, lines would be nobody's: {lost}");
    let upstream = format!("upstreams.chatd={}", chatd.ready.roles["chatd"]);
    let others = site.start_roles(&["gateway", "ingestd", "queryd", "validatord"], &[&upstream]).await?;
    let probe = Probe::of(others.gateway()?)?;
    probe.ingest("name=workers", WORKERS).await?.expect(200)?;
    let asked = json!({
        "kind": "fill", "prompt": "one", "model": "corp/m", "trace_id": "s", "context": { "target_count": 1 },
    });
    probe.post("/v1/iterate", &asked).await?.expect(200)?;
    probe.post("/v1/chat", &hello).await?.expect(200)?;
    let sql = "SELECT run_id, daemon, iteration, provider FROM chats ORDER BY run_id";
    let rows = probe.sql(sql).await?.expect(200)?.json()?;
    let expected = json!([["c", "chatd", null, "corp"], ["s", "validatord", 1, "corp"]]);
    ensure!(rows["rows"] == expected, "the stream holds {rows}");
    others.stop().await?;
    chatd.stop().await
}

#[test]
fn proposals_are_checked_on_the_command_line() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.write("workers.csv", WORKERS)?;
    desk.run(&["ingest", "workers", "workers.csv"])?.ended(0)?;
    let said = "Sure, here it is:\n```json\n{\"fills\": [{\"candidate_id\": \"w-1\", \"name\": \"Ann Poe\"}]}\n```";
    let found = desk.run_with_input(&["extract-json"], said)?.ended(0)?.json()?;
    ensure!(found["matched"] == true, "it finds {found}");
    let none = desk.run_with_input(&["extract-json"], "nothing")?.ended(0)?.out;
    ensure!(none == "{\"matched\":false,\"value\":null}\n", "it finds {none}");
    let check = |context: &str, code| {
        let arguments = ["validate", "fill", "--lake", "./lake", "--context", context];
        desk.run_with_input(&arguments, &found["value"].to_string())?.ended(code)?.json()
    };
    ensure!(check(r#"{"target_count": 1}"#, 0)?["validator"] == "staffing.fill");
    let refused = check(r#"{"target_count": 1, "city": "Lima"}"#, 1)?;
    ensure!(refused["Consistency"]["reason"].as_str().is_some_and(|why| why.contains("Toledo")), "it says {refused}");
    desk.run_with_input(&["validate", "fill", "--lake", "./lake"], "no object")?.ended(2)?;
    Ok(())
}

/// A pack is tried on what a model proposed before, judges once it is kept, and no more when it is dropped. Streams are in
/// the backup, so that the trial can be repeated on what was restored.
#[test]
fn packs_are_tried_kept_and_dropped_on_the_command_line() -> anyhow::Result<()> {
    let proposal = json!({ "fills": [{ "candidate_id": "W-1", "name": "Ann Poe" }] }).to_string();
    let talker = Talker::start([proposal.clone()]);
    let desk = Desk::new()?
        .with("LAKEHOUSE__MODELS__PROVIDERS__CORP__KIND", "openai")
        .with("LAKEHOUSE__MODELS__PROVIDERS__CORP__URL", &talker.url());
    desk.write("workers.csv", WORKERS)?;
    desk.run(&["ingest", "workers", "workers.csv", "--lake", "./lake"])?.ended(0)?;
    let iterate = ["iterate", "fill", "one welder", "--model", "corp/m", "--lake", "./lake", "--context"];
    for context in [r#"{"target_count": 1, "city": "Toledo"}"#, r#"{"target_count": 1}"#] {
        desk.run(&[&iterate[..], &[context]].concat())?.ended(0)?;
    }
    let pack = json!({ "name": "placed", "kind": "fill", "schema": { "properties": { "_context": { "required": ["city"] } } } });
    desk.write("placed.json", pack.to_string())?;
    let tried = desk.run(&["packs", "dry-run", "placed.json", "--lake", "./lake", "--json"])?.ended(0)?.json()?;
    ensure!((&tried["checked"], &tried["passed"]) == (&json!(2), &json!(1)), "it says {tried}");
    ensure!(tried["failed"][0]["error"]["Schema"]["field"] == "_context.city", "it says {tried}");
    let told = desk.run(&["packs", "put", "placed.json", "--lake", "./lake"])?.ended(0)?.out;
    ensure!(told == "placed: judges from version 2 on\n", "it says {told}");
    let listed = desk.run(&["packs", "list", "--lake", "./lake"])?.ended(0)?.out;
    ensure!(listed.contains("placed\tfill\tyes\t0\n"), "it lists {listed}");
    let shown = desk.run(&["packs", "show", "placed", "--lake", "./lake"])?.ended(0)?.json()?;
    ensure!(shown == pack, "it shows {shown}");
    let check = ["validate", "fill", "--lake", "./lake", "--context", r#"{"target_count": 1}"#];
    let refused = desk.run_with_input(&check, &proposal)?.ended(1)?.json()?;
    ensure!(refused["Schema"]["field"] == "_context.city", "it says {refused}");
    desk.run(&["packs", "drop", "placed", "--lake", "./lake"])?.ended(0)?;
    desk.run_with_input(&check, &proposal)?.ended(0)?;
    desk.run_with_input(&[&check[..], &["--as-of", "2"]].concat(), &proposal)?.ended(1)?;
    desk.run(&["packs", "show", "placed", "--as-of", "2", "--lake", "./lake"])?.ended(0)?;
    desk.run(&["packs", "drop", "placed", "--lake", "./lake"])?.ended(4)?;
    desk.run(&["packs", "show", "placed", "--lake", "./lake"])?.ended(4)?;
    desk.run_with_input(&["packs", "put", "--lake", "./lake"], r#"{"name": "p", "kind": "fill", "pattern": 1}"#)?
        .ended(2)?;
    let saved = desk.run(&["backup", "./copy", "--lake", "./lake"])?.ended(0)?.out;
    ensure!(saved.contains(" 3 streams, "), "it says {saved}");
    desk.run(&["restore", "./copy", "--lake", "./again"])?.ended(0)?;
    let again = desk.run(&["packs", "dry-run", "placed.json", "--lake", "./again", "--json"])?.ended(0)?.json()?;
    ensure!(again == tried, "it says {again}");
    Ok(())
}

/// Lines of a file become a stream, more of them than fit into one request; what does not read is named and skipped.
#[test]
fn lines_are_imported_into_a_stream() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.write("workers.csv", WORKERS)?;
    desk.run(&["ingest", "workers", "workers.csv", "--lake", "./lake"])?.ended(0)?;
    let line = |number: usize| json!({ "n": number, "text": "x".repeat(1_000) }).to_string();
    let mut lines: Vec<String> = (1..=6_000).map(line).collect();
    lines.insert(1_000, "{\"n\": ".to_owned());
    lines.insert(2_000, String::new());
    lines.insert(3_000, "[1]".to_owned());
    lines.push("{\"n\": 1, \"n\": 2}".to_owned());
    lines.push("{\"vast\": 123456789012345678901}".to_owned());
    desk.write("runs.jsonl", lines.join("\n"))?;
    let ran = desk.run(&["evidence", "import", "runs", "runs.jsonl", "--lake", "./lake"])?.ended(0)?;
    ensure!(ran.out == "runs: 6001 lines appended, 3 skipped\n", "it says {}", ran.out);
    ensure!(ran.err.contains("runs.jsonl: line 1001 is no JSON object"), "it warns {}", ran.err);
    ensure!(ran.err.contains("runs.jsonl: line 3001 is no JSON object"), "it warns {}", ran.err);
    ensure!(ran.err.contains("runs.jsonl: line 6004 has the member \"n\" twice"), "it warns {}", ran.err);
    let sql =
        ["sql", "SELECT count(*) AS c, sum(n) AS s, max(vast) AS v FROM runs", "--lake", "./lake", "--format", "csv"];
    let counted = desk.run(&sql)?.ended(0)?.out;
    ensure!(counted == "c,s,v\n6001,18003000,123456789012345678901\n", "SQL counts {counted}");
    desk.run_with_input(&["evidence", "import", "runs", "--lake", "./lake"], "{\"n\": 0}\n")?.ended(0)?;
    desk.run_with_input(&["evidence", "import", "sessions", "--lake", "./lake"], "{}")?.ended(1)?;
    Ok(())
}
