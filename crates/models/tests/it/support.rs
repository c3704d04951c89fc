//! Models for tests.

use std::sync::Arc;

use models::{Config, Embedder, Models, Routing};
use testkit::Minilm;

/// The embedded model with these settings.
pub fn embedded(config: &Config) -> Arc<dyn Embedder> {
    models(config).embedder(None).expect("the default model")
}

/// The same, computed with the weights as they are in the file.
pub fn precise(config: &Config) -> Arc<dyn Embedder> {
    models(config).embedder(Some("all-MiniLM-L6-v2-f32")).expect("the model in full precision")
}

/// All models with these settings.
pub fn models(config: &Config) -> Models {
    let routing = Routing {
        default_model: "all-MiniLM-L6-v2".to_owned(),
        ollama_url: "http://127.0.0.1:9".to_owned(),
        upstream: None,
    };
    Models::new(config, routing).expect("good settings")
}

/// Settings that name the directory of the files.
pub fn in_directory(files: &Minilm) -> Config {
    Config { model_dir: Some(files.directory.clone()), ..Config::default() }
}

/// The texts of `testdata/embedding`.
pub fn texts() -> Vec<Arc<str>> {
    serde_json::from_str(include_str!("../../../../testdata/embedding/texts.json")).expect("a list of texts")
}
