//! Proposals on the command line, and sessions with a real small model: one that fails first and is corrected, and one
//! that exhausts.

use anyhow::ensure;
use serde_json::{Value, json};
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};
use testkit::Talkers;

use crate::command::{BINARY, Desk};

const WORKERS: &str = "worker_id,name,role,city,status\n\
    1,Ann Poe,Welder,Toledo,active\n2,Bob Ray,Welder,Lima,active\n3,Cy Orr,Welder,Toledo,on leave\n";

fn asked(more: Value) -> Value {
    let mut asked = json!({
        "kind": "fill", "prompt": "Say hello to the bakers.", "system": "You are friendly.", "model": "llama/smollm2",
        "temperature": 0, "max_tokens": 60, "max_iterations": 2, "context": { "target_count": 1, "city": "Toledo" },
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
    let settings =
        ["models.providers.llama.kind=openai".to_owned(), format!("models.providers.llama.url={}", servers.openai())];
    let stack = site.start(&settings.each_ref().map(String::as_str)).await?;
    let probe = Probe::of(stack.gateway()?)?;
    probe.ingest("name=workers", WORKERS).await?.expect(200)?;
    // Chatter is no proposal; held to the form and to whom it was shown, the model proposes somebody who exists.
    let corrected = asked(json!({ "trace_id": "corrected", "retrieve": {} }));
    let session = probe.post("/v1/iterate", &corrected).await?.expect(200)?.json()?;
    ensure!(session["iterations"] == 2, "it takes {session}");
    ensure!(session["artifact"]["fills"][0]["candidate_id"] == "W-1", "it ends with {session}");
    // Shown nobody, it makes somebody up.
    let exhausted = probe.post("/v1/iterate", &asked(json!({ "trace_id": "exhausted" }))).await?.expect(422)?.json()?;
    ensure!(exhausted["iterations"] == 2, "it says {exhausted}");
    ensure!(exhausted["history"][1]["status"]["kind"] == "validation_failed", "it says {exhausted}");
    let sessions = "SELECT session_id, final_verdict, iterations, grounded_in_roster FROM sessions ORDER BY session_id";
    let rows = probe.sql(sessions).await?.expect(200)?.json()?;
    let expected = json!([["corrected", "accepted", 2, true], ["exhausted", "max_iter_exhausted", 2, false]]);
    ensure!(rows["rows"] == expected, "the stream holds {rows}");
    stack.stop().await
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
