//! The reranker against another engine's scores of the same model, which lie in `testdata/reranking`.

use std::sync::Arc;

use base::{Fault, Kind};
use models::{Config, Reranker};
use serde::Deserialize;
use tempfile::TempDir;
use testkit::cross_encoder;

use crate::support::models;

#[derive(Deserialize)]
struct Reference {
    texts: Vec<Arc<str>>,
    queries: Vec<Query>,
}

#[derive(Deserialize)]
struct Query {
    query: String,
    scores: Vec<f32>,
}

fn reranker(test: &str) -> Option<Reranker> {
    let directory = cross_encoder(test)?;
    Some(models(&Config { reranker_dir: Some(directory), ..Config::default() }).reranker().clone())
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../../../testdata/reranking/scores.json")).expect("the reference")
}

/// That engine rounds all tokens of a text by one factor, ours each by its own: both are near what was trained.
#[tokio::test]
async fn scores_are_those_of_the_reference() {
    let Some(reranker) = reranker("reranking::scores_are_those_of_the_reference") else { return };
    let Reference { texts, queries } = reference();
    for Query { query, scores: expected } in queries {
        let scores = reranker.score(&query, &texts).await.expect("scores");
        for ((text, score), expected) in texts.iter().zip(&scores).zip(&expected) {
            assert!((score - expected).abs() <= 1.0, "{score}, not {expected}: {query:.40} → {text:.40}");
        }
        let best = (0..texts.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).expect("a best one");
        let most = expected.iter().copied().fold(f32::MIN, f32::max);
        assert!(expected[best] >= most - 0.5, "{query:.40} → {:.40}", texts[best]);
    }
}

#[tokio::test]
async fn a_text_has_the_same_score_alone_and_among_others() {
    let Some(reranker) = reranker("reranking::a_text_has_the_same_score_alone_and_among_others") else { return };
    let Reference { texts, .. } = reference();
    let together = reranker.score("night shift", &texts).await.expect("scores");
    for (text, score) in texts.iter().zip(&together) {
        assert_eq!(reranker.score("night shift", &[Arc::clone(text)]).await.expect("a score"), [*score], "{text:.40}");
    }
    assert_eq!(reranker.score("night shift", &[]).await.expect("nothing"), Vec::<f32>::new());
    let odd: [Arc<str>; 3] = ["".into(), "漢".repeat(9000).into(), "\u{0} \n".into()];
    let scores = reranker.score(&"long ".repeat(2000), &odd).await.expect("scores");
    assert!(scores.len() == 3 && scores.iter().all(|score| score.is_finite()), "{scores:?}");
}

#[tokio::test]
async fn without_its_files_it_says_how_to_get_them() {
    let cache = TempDir::new().expect("a directory");
    let python = "/nonexistent/python".to_owned();
    let closed = Config { cache_dir: Some(cache.path().to_owned()), python, ..Config::default() };
    let error = models(&closed).reranker().score("a", &["b".into()]).await.expect_err("no files");
    assert_eq!((error.code(), error.kind()), ("models.no_reranker", Kind::Unavailable));
    let said = error.to_string();
    assert!(said.contains("cannot be started") && said.contains("models.reranker_dir"), "{said}");
    assert!(!said.contains("nonexistent"), "{said}");

    let other = Config { reranker_dir: Some(cache.path().to_owned()), ..closed };
    let error = models(&other).reranker().score("a", &["b".into()]).await.expect_err("no files");
    assert_eq!(error.code(), "models.no_reranker");
}
