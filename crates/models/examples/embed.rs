//! Embeds a JSON list of texts with the embedded model and prints what it took:
//! `embed MODEL_DIRECTORY TEXTS.json VECTORS MODEL`, where the model is `all-MiniLM-L6-v2` or `all-MiniLM-L6-v2-f32`. The
//! vectors are written as 32-bit floats, one after another.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use models::{Config, Embedder, Models, Overflow, Routing};
use serde_json::json;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How many of the texts are embedded one by one, for the time that one query takes.
const QUERIES: usize = 200;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are its whole purpose")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, texts, vectors, model] = arguments.as_slice() else {
        eprintln!("usage: embed MODEL_DIRECTORY TEXTS.json VECTORS MODEL");
        return ExitCode::from(2);
    };
    match run(directory, texts, vectors, model).await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(directory: &str, texts: &str, vectors: &str, model: &str) -> Result<String, Failure> {
    let texts: Vec<Arc<str>> = serde_json::from_slice(&tokio::fs::read(texts).await?)?;
    let config = Config { model_dir: Some(directory.into()), ..Config::default() };
    let routing =
        Routing { default_model: model.to_owned(), ollama_url: "http://127.0.0.1".to_owned(), upstream: None };
    let model = Models::new(&config, routing)?.embedder(None)?;

    let begun = Instant::now();
    model.embed(&["warm".into()], Overflow::Error).await?;
    let load = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let embedded = model.embed(&texts, Overflow::Truncate).await?;
    let batch = begun.elapsed().as_secs_f64();
    let queries = queries(model.as_ref(), &texts).await?;
    let bytes: Vec<u8> = embedded.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    tokio::fs::write(vectors, bytes).await?;
    let median = queries.get(queries.len() / 2);
    Ok(json!({ "load_seconds": load, "batch_seconds": batch, "query_seconds": median }).to_string())
}

/// Seconds that each query took, sorted.
async fn queries(model: &dyn Embedder, texts: &[Arc<str>]) -> Result<Vec<f64>, Failure> {
    let mut seconds = Vec::new();
    for text in texts.iter().take(QUERIES) {
        let begun = Instant::now();
        model.embed(&[Arc::clone(text)], Overflow::Truncate).await?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds)
}
