//! `chat`: a language model answers on the command line, whoever runs it.

use serde_json::json;
use testkit::Talker;

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
