use base::Fault;

use super::*;

fn chat() -> Chat {
    let corp = Provider::at(Kind::Openai, "http://127.0.0.1:9");
    let config = Config { providers: BTreeMap::from([("corp".to_owned(), corp)]), ..Config::default() };
    let routing = ChatRouting { ollama_url: "http://127.0.0.1:11434".to_owned(), upstream: None };
    Chat::new(&config, &ChatConfig::default(), routing, base::Seams::system()).expect("good settings")
}

/// Who is asked for a name, and what for; the code of the refusal otherwise.
fn found(name: &str) -> (String, String) {
    match chat().0.find(name) {
        Ok(Found { host, model }) => (host.name().to_owned(), model.to_owned()),
        Err(error) => (error.code().to_owned(), String::new()),
    }
}

#[test]
fn a_name_says_who_is_asked_and_what_for() {
    let cases = [
        ("llama3.2", "ollama", "llama3.2"),
        ("llama3.2:1b", "ollama", "llama3.2:1b"),
        ("ollama/llama3.2:1b", "ollama", "llama3.2:1b"),
        ("ollama/hf.co/some/model", "ollama", "hf.co/some/model"),
        ("embedded/SmolLM2-135M-Instruct", "embedded", "SmolLM2-135M-Instruct"),
        ("corp/gpt-x", "corp", "gpt-x"),
        ("corp/gpt-x:cloud", "corp", "gpt-x:cloud"),
        ("gpt-oss:120b:cloud", "models.no_key", ""),
        ("ollama_cloud/gpt-oss:120b", "models.no_key", ""),
        ("nobody/gpt-x", "models.unknown_provider", ""),
        ("ollama/", "models.bad_chat", ""),
        (":cloud", "models.bad_chat", ""),
    ];
    for (name, provider, model) in cases {
        assert_eq!(found(name), (provider.to_owned(), model.to_owned()), "{name}");
    }
}

#[test]
fn the_cloud_needs_a_key_and_nothing_else() {
    let cloud = Provider { api_key: storage::Secret::new("sk-1"), ..Provider::default() };
    let config = Config { providers: BTreeMap::from([(CLOUD.to_owned(), cloud)]), ..Config::default() };
    let routing = ChatRouting { ollama_url: "http://127.0.0.1:11434".to_owned(), upstream: None };
    let chat = Chat::new(&config, &ChatConfig::default(), routing, base::Seams::system()).expect("good settings");
    let found = chat.0.find("gpt-oss:120b:cloud").expect("it has its key");
    assert_eq!((found.host.name(), found.host.kind(), found.model), (CLOUD, Kind::Ollama, "gpt-oss:120b"));
}

#[test]
fn a_default_provider_that_is_not_there_is_refused() {
    let settings = ChatConfig { default_provider: "corp".to_owned() };
    let routing = ChatRouting { ollama_url: "http://127.0.0.1:11434".to_owned(), upstream: None };
    let Err(error) = Chat::new(&Config::default(), &settings, routing, base::Seams::system()) else {
        panic!("it is taken")
    };
    assert_eq!(error.to_string(), "chatd.default_provider is refused: no provider has this name");
}

#[test]
fn every_provider_is_listed_and_says_whether_it_can_be_asked() {
    let listed = serde_json::to_value(chat().providers()).expect("JSON");
    let expected = serde_json::json!([
        { "name": "corp", "kind": "openai", "default": false, "has_key": true },
        { "name": "embedded", "kind": "embedded", "default": false, "has_key": true },
        { "name": "ollama", "kind": "ollama", "default": true, "has_key": true },
        { "name": "ollama_cloud", "kind": "ollama", "default": false, "has_key": false },
    ]);
    assert_eq!(listed, expected);
}
