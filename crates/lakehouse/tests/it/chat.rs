//! `chat`: a language model answers on the command line, whoever runs it, this process too.

use serde_json::json;
use testkit::{Talker, Talkers};

use crate::command::Desk;

#[test]
fn a_model_is_asked_and_its_answer_printed() -> anyhow::Result<()> {
    let talker = Talker::start(["Paris."]);
    let desk = Desk::new()?
        .with("LAKEHOUSE__MODELS__PROVIDERS__CORP__KIND", "openai")
        .with("LAKEHOUSE__MODELS__PROVIDERS__CORP__URL", &talker.url())
        .with("LAKEHOUSE__MODELS__PROVIDERS__CORP__API_KEY", "sk-secret");
    let ask = ["chat", "--model", "corp/m", "--system", "Be brief.", "--temperature", "0", "What is the capital?"];
    assert_eq!(desk.run(&ask)?.ended(0)?.out, "Paris.\n");
    let document = desk.run(&["chat", "--model", "corp/m", "Again?", "--json"])?.ended(0)?.json()?;
    assert_eq!((&document["content"], &document["provider"]), (&json!("Paris."), &json!("corp")));
    let [first, _] = &talker.asked()[..] else { anyhow::bail!("two requests") };
    let messages = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": "What is the capital?" },
    ]);
    assert_eq!(first, &json!({ "model": "m", "messages": messages, "temperature": 0.0 }));

    let listed = desk.run(&["chat", "--providers"])?.ended(0)?.out;
    assert!(listed.contains("corp\topenai\t\t\n") && listed.contains("ollama_cloud\tollama\t\tno key"), "{listed}");
    let refused = desk.run(&["chat", "--model", "nobody/m", "x"])?.ended(4)?;
    assert!(refused.err.contains("no provider is called \"nobody\""), "{}", refused.err);
    desk.run(&["chat", "x"])?.ended(2)?;
    Ok(())
}

#[test]
fn the_embedded_model_answers_without_a_server() -> anyhow::Result<()> {
    let Some(directory) = Talkers::model("chat::the_embedded_model_answers_without_a_server") else { return Ok(()) };
    let desk = Desk::new()?.with("LAKEHOUSE__MODELS__CHAT_DIR", &directory.display().to_string());
    let model = ["chat", "--model", "embedded/SmolLM2-135M-Instruct", "--temperature", "0"];
    let schema = r#"{"enum": ["welder", "baker"]}"#;
    let shaped = desk.run(&[&model[..], &["--schema", schema, "We need two bakers."]].concat())?.ended(0)?.out;
    assert!(shaped == "\"welder\"\n" || shaped == "\"baker\"\n", "{shaped}");
    let cut =
        desk.run(&[&model[..], &["--max-tokens", "3", "Tell me a story.", "--json"]].concat())?.ended(0)?.json()?;
    assert_eq!((&cut["provider"], &cut["finish_reason"]), (&json!("embedded"), &json!("length")));
    let missing = Desk::new()?.with("LAKEHOUSE__MODELS__CHAT_DIR", "./nothing");
    let refused = missing.run(&[&model[..], &["Hello"]].concat())?.ended(3)?;
    assert!(refused.err.contains("name it in models.chat_dir"), "{}", refused.err);
    Ok(())
}
