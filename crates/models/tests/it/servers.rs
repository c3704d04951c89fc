//! Real servers with a real model.

use base::Fault;
use models::{Kind, Provider};
use testkit::Embedders;

use crate::providers::{embed, failure, named};

const TEXTS: [&str; 4] = [
    "drives a forklift in a warehouse",
    "bakes bread at night",
    "welds steel pipes",
    "операторка вилочного погрузчика 🚜",
];

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[tokio::test]
async fn both_kinds_of_server_answer_with_the_vectors_of_their_model() {
    let Some(servers) = Embedders::start("models::servers") else { return };
    let name = format!("far/{}", Embedders::MODEL);
    let openai = named(Provider::at(Kind::Openai, servers.openai()), &name);
    let ollama = named(Provider::at(Kind::Ollama, servers.ollama()), &name);

    let cards = [openai.card().await.unwrap(), ollama.card().await.unwrap()];
    assert!(cards.iter().all(|card| card.dimension == 384 && card.name == name));
    assert_ne!(cards[0].fingerprint, cards[1].fingerprint);
    assert_eq!(ollama.card().await.unwrap().fingerprint, cards[1].fingerprint);

    let together = embed(&openai, &TEXTS).await.unwrap();
    let elsewhere = embed(&ollama, &TEXTS).await.unwrap();
    for (position, text) in TEXTS.into_iter().enumerate() {
        let alone = embed(&openai, &[text]).await.unwrap();
        assert!(cosine(&together[position], &alone[0]) > 0.999, "{text}");
        assert!(cosine(&together[position], &elsewhere[position]) > 0.999, "{text}");
    }
    assert!(cosine(&together[0], &together[3]) > cosine(&together[1], &together[3]), "the meaning counts");

    let many: Vec<String> = (0..70).map(|number| format!("text number {number}")).collect();
    let vectors = embed(&openai, &many).await.unwrap();
    let last = embed(&openai, &many[69..]).await.unwrap();
    assert_eq!(vectors.len(), 70);
    assert!(cosine(&vectors[69], &last[0]) > 0.999);

    let unknown = named(Provider::at(Kind::Ollama, servers.ollama()), "far/nobody/knows");
    let error = failure(unknown.card().await);
    assert_eq!(error.code(), "models.upstream_failed");
    assert!(error.to_string().ends_with("it may not have this model"), "{error}");
}
