use std::collections::BTreeMap;

use base::Fault;

use super::*;

fn models(upstream: Option<Provider>) -> Models {
    let corp = Provider::at(Kind::Openai, "http://127.0.0.1:9");
    let config = Config { providers: BTreeMap::from([("corp".to_owned(), corp)]), ..Config::default() };
    let routing =
        Routing { default_model: embedded::NAME.to_owned(), ollama_url: "http://127.0.0.1:11434".to_owned(), upstream };
    Models::new(&config, routing).expect("good settings")
}

fn refused(models: &Models, name: &str) -> Vec<String> {
    match models.embedder(Some(name)) {
        Err(Error::UnknownModel { model, near }) => {
            assert_eq!(model, name);
            near
        }
        Err(other) => panic!("{name}: {other}"),
        Ok(_) => panic!("{name} is known"),
    }
}

#[test]
fn names_of_known_providers_find_a_model() {
    let models = models(None);
    for name in [
        "all-MiniLM-L6-v2",
        "embedded/all-MiniLM-L6-v2",
        "all-MiniLM-L6-v2-f32",
        "ollama/nomic-embed-text",
        "corp/a/b:c",
    ] {
        assert!(models.embedder(Some(name)).is_ok(), "{name}");
    }
    assert!(models.embedder(None).is_ok());
}

#[test]
fn the_same_name_is_the_same_model() {
    let models = models(None);
    let first = models.embedder(Some("ollama/m")).expect("known");
    assert!(Arc::ptr_eq(&first, &models.embedder(Some("ollama/m")).expect("known")));
}

#[test]
fn other_names_are_unknown_and_the_near_one_is_told() {
    let models = models(None);
    let near = ["all-MiniLM-L6-v2", "all-MiniLM-L6-v2-f32", "ollama/all-minilm-l6-v2"];
    assert_eq!(refused(&models, "all-minilm-l6-v2"), near);
    assert_eq!(refused(&models, "nomic-embed-text"), ["ollama/nomic-embed-text"]);
    assert_eq!(refused(&models, "olama/m"), ["ollama/m"]);
    assert_eq!(refused(&models, "embedded/other"), Vec::<String>::new());
    for name in ["", "/", "ollama/", "corp/", "/m", "nobody/m"] {
        refused(&models, name);
    }
    let error = models.embedder(Some("nobody/m")).err().expect("unknown");
    assert_eq!(error.code(), "models.unknown_model");
}

#[tokio::test]
async fn vectors_from_before_bytes_find_the_model_that_made_them() {
    /// Of the vectors that this name stood for while the model knew no bytes.
    const BEFORE: &str = "3e437ced4a77b0238758a096eb1555c10bae6328ee7a44eb5f71c1662a239ab8";
    for models in [models(None), models(Some(Provider::at(Kind::Lakehouse, "http://127.0.0.1:9")))] {
        assert_eq!(models.name_of(Some("all-MiniLM-L6-v2"), Some(BEFORE)), "all-MiniLM-L6-v2-f32");
        assert_eq!(models.name_of(None, Some(BEFORE)), "all-MiniLM-L6-v2-f32");
        assert_eq!(models.name_of(None, None), "all-MiniLM-L6-v2");
        assert_eq!(models.name_of(Some("all-MiniLM-L6-v2"), Some("of nobody")), "all-MiniLM-L6-v2");
        assert_eq!(models.name_of(Some("ollama/m"), Some(BEFORE)), "ollama/m");
    }
    let precise = models(None).embedder(Some("all-MiniLM-L6-v2-f32")).expect("known");
    assert_eq!(precise.card().await.expect("a card").fingerprint, BEFORE);
}

#[test]
fn an_upstream_is_asked_for_every_name() {
    let models = models(Some(Provider::at(Kind::Lakehouse, "http://127.0.0.1:9")));
    for name in [None, Some("all-MiniLM-L6-v2"), Some("ollama/m"), Some("whatever")] {
        assert!(models.embedder(name).is_ok(), "{name:?}");
    }
}
