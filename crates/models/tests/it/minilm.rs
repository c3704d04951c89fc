//! The embedded model against the reference implementation's vectors, which lie in `testdata/embedding`.

use std::sync::Arc;

use base::Fault;
use models::{Error, Overflow, State};
use sha2::{Digest, Sha256};
use testkit::Minilm;

use crate::support::{embedded, in_directory, models, precise, texts};

/// The reference implementation's vectors, as `bench/embed_reference.py` stores them.
fn reference() -> Vec<Vec<f32>> {
    let (numbers, _) = include_bytes!("../../../../testdata/embedding/vectors.i16").as_chunks::<2>();
    let number = |bytes: &[u8; 2]| f32::from(i16::from_le_bytes(*bytes)) / 32767.0;
    numbers.chunks(384).map(|vector| vector.iter().map(number).collect()).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[tokio::test]
async fn vectors_are_those_of_the_reference() {
    let Some(files) = Minilm::fetch("minilm::vectors_are_those_of_the_reference") else { return };
    let config = in_directory(&files);
    let (texts, reference) = (texts(), reference());
    assert_eq!((texts.len(), reference.len()), (1000, 1000));
    for (model, least, mean) in [(precise(&config), 0.9999, 0.9999), (embedded(&config), 0.998, 0.9995)] {
        let vectors = model.embed(&texts, Overflow::Truncate).await.expect("vectors");
        let mut sum = 0.0;
        for ((text, vector), expected) in texts.iter().zip(&vectors).zip(&reference) {
            let near = cosine(vector, expected);
            assert!(near >= least, "{near} for {text:?}");
            let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
            assert!((length - 1.0).abs() < 1e-6, "{length} for {text:?}");
            sum += near;
        }
        assert!(sum / 1000.0 >= mean, "{}", sum / 1000.0);
    }
}

/// The digest stands for the bits of every vector, whatever the machine that runs this.
#[tokio::test]
async fn vectors_are_the_same_on_every_machine() {
    let Some(files) = Minilm::fetch("minilm::vectors_are_the_same_on_every_machine") else { return };
    let texts: Vec<Arc<str>> = texts().into_iter().step_by(10).collect();
    let vectors = embedded(&in_directory(&files)).embed(&texts, Overflow::Truncate).await.expect("vectors");
    let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(hex::encode(Sha256::digest(bytes)), "2c930dfea29f555649c7cda1f432dafd6104733aca5734654c87c269fdc61ad3");
}

#[tokio::test]
async fn a_warm_model_is_loaded_before_the_first_text() {
    let Some(files) = Minilm::fetch("minilm::a_warm_model_is_loaded_before_the_first_text") else { return };
    let models = models(&models::Config { warm: true, ..in_directory(&files) });
    models.prepare();
    while models.list()[0].state != State::Ready {
        assert_ne!(models.list()[0].state, State::Failed);
        tokio::task::yield_now().await;
    }
    assert_eq!(models.list()[1].state, State::Idle, "the other precision is not needed");
}

#[tokio::test]
async fn a_text_has_the_same_vector_alone_and_among_others_and_again() {
    let Some(files) = Minilm::fetch("minilm::a_text_has_the_same_vector_alone_and_among_others_and_again") else {
        return;
    };
    let model = embedded(&in_directory(&files));
    let texts: Vec<Arc<str>> = texts().into_iter().step_by(17).collect();
    let together = model.embed(&texts, Overflow::Truncate).await.expect("vectors");
    let again = model.embed(&texts, Overflow::Truncate).await.expect("vectors");
    assert_eq!(together, again);
    for (text, vector) in texts.iter().zip(&together) {
        let alone = model.embed(&[Arc::clone(text)], Overflow::Truncate).await.expect("a vector");
        assert_eq!(alone, std::slice::from_ref(vector), "{text:?}");
    }
    assert_eq!(model.embed(&[], Overflow::Error).await.expect("nothing"), Vec::<Vec<f32>>::new());
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_cut_or_read_in_windows() {
    let Some(files) = Minilm::fetch("minilm::a_text_that_is_too_long_is_refused_cut_or_read_in_windows") else {
        return;
    };
    let model = embedded(&in_directory(&files));
    let words = |count: usize| Arc::<str>::from(vec!["forklift"; count].join(" "));
    let tokens = |count: usize| count * 2 + 2;
    let fits: Vec<Arc<str>> = vec![words(127), words(1)];
    model.embed(&fits, Overflow::Error).await.expect("256 tokens fit");

    let long = vec![words(1), "a".into(), words(128), words(900)];
    match model.embed(&long, Overflow::Error).await {
        Err(error @ Error::TooLong { position: 2, limit: 256, .. }) => {
            assert_eq!(error.code(), "models.text_too_long");
            assert_eq!(error.facts()["tokens"], tokens(128));
        }
        other => panic!("{other:?}"),
    }
    let cut = model.embed(&long, Overflow::Truncate).await.expect("vectors");
    let mut more = long.clone();
    more[2] = format!("{} and this is not read", words(128)).into();
    assert_eq!(model.embed(&more, Overflow::Truncate).await.expect("vectors")[2], cut[2]);

    let whole = model.embed(&long, Overflow::Chunk).await.expect("vectors");
    assert_eq!(whole[..2], cut[..2]);
    let other = model.embed(&more, Overflow::Chunk).await.expect("vectors");
    assert_ne!(other[2], whole[2]);
    assert!(whole.iter().all(|vector| (cosine(vector, vector) - 1.0).abs() < 1e-6));
    let length = whole[3].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    assert!((length - 1.0).abs() < 1e-6, "{length}");
}

#[tokio::test]
async fn requests_at_the_same_time_do_not_mix() {
    let Some(files) = Minilm::fetch("minilm::requests_at_the_same_time_do_not_mix") else { return };
    let model = embedded(&in_directory(&files));
    let texts: Vec<Arc<str>> = texts().into_iter().filter(|text| text.len() < 100).take(64).collect();
    let together = model.embed(&texts, Overflow::Error).await.expect("vectors");
    let alone = texts.iter().map(|text| {
        let (model, text) = (Arc::clone(&model), Arc::clone(text));
        async move { model.embed(&[text], Overflow::Error).await.expect("a vector").remove(0) }
    });
    assert_eq!(futures::future::join_all(alone).await, together);
}

#[tokio::test]
async fn the_card_is_known_before_the_files_are() {
    let nowhere = models::Config { model_dir: Some("/nonexistent".into()), ..models::Config::default() };
    let model = embedded(&nowhere);
    let card = model.card().await.expect("a card");
    assert_eq!((card.name.as_str(), card.provider.as_str()), ("all-MiniLM-L6-v2", "embedded"));
    assert_eq!((card.dimension, card.max_tokens), (384, Some(256)));
    assert_eq!(card.fingerprint, "719224cc244466b678d40841d710af6472e0b859d36030cd34be4992d632933f");
    let precise = precise(&nowhere).card().await.expect("a card");
    assert_eq!((precise.name.as_str(), precise.dimension), ("all-MiniLM-L6-v2-f32", 384));
    assert_eq!(precise.fingerprint, "3e437ced4a77b0238758a096eb1555c10bae6328ee7a44eb5f71c1662a239ab8");
}
