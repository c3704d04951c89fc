use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use base::{ByteSize, Fault, Span};
use models::{Kind, Provider, Routing};
use proptest::prelude::*;
use testkit::{Reply, Scripted};
use tokio::sync::Semaphore;

use super::*;

/// A model whose vectors tell their text, that notes what it is asked and answers when it is let.
struct Model {
    asked: Mutex<Vec<Vec<String>>>,
    turns: Semaphore,
    faults: Mutex<VecDeque<models::Error>>,
    replaced: bool,
}

impl Model {
    fn new(turns: usize) -> Self {
        let (asked, faults) = (Mutex::default(), Mutex::default());
        Self { asked, turns: Semaphore::new(turns), faults, replaced: false }
    }

    /// A model that never lets anyone wait.
    fn quick() -> Self {
        Self::new(1_000_000)
    }

    fn fails_once(self, with: models::Error) -> Self {
        self.faults.lock().unwrap().push_back(with);
        self
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Embedder for Model {
    async fn card(&self) -> models::Result<Arc<Card>> {
        Err(broken())
    }

    fn known(&self) -> Option<Arc<Card>> {
        let (name, provider, fingerprint) = ("test/m".to_owned(), "test".to_owned(), "another".to_owned());
        self.replaced.then(|| Arc::new(Card { name, provider, dimension: 1, fingerprint, max_tokens: None }))
    }

    async fn embed(&self, texts: &[Arc<str>], _overflow: Overflow) -> models::Result<Vec<Vec<f32>>> {
        self.asked.lock().unwrap().push(texts.iter().map(|text| text.to_string()).collect());
        self.turns.acquire().await.unwrap().forget();
        match self.faults.lock().unwrap().pop_front() {
            Some(fault) => Err(fault),
            None => Ok(texts.iter().map(|text| vector_of(text)).collect()),
        }
    }
}

fn vector_of(text: &str) -> Vec<f32> {
    text.bytes().map(f32::from).collect()
}

fn broken() -> models::Error {
    models::Error::Upstream { provider: "test".to_owned(), reason: "it broke".to_owned(), source: None }
}

fn arcs(texts: &[&str]) -> Vec<Arc<str>> {
    texts.iter().map(|text| Arc::from(*text)).collect()
}

async fn vectors(cache: &Cache, model: &Model, texts: &[&str]) -> Result<Vec<Vector>> {
    let texts = arcs(texts);
    Batch { cache, embedder: model, texts: &texts, overflow: Overflow::Error, ready: &AtomicUsize::new(0) }
        .vectors("model")
        .await
}

fn expected(texts: &[&str]) -> Vec<Vector> {
    texts.iter().map(|text| Vector::from(vector_of(text))).collect()
}

#[tokio::test]
async fn only_what_is_missing_is_computed_and_the_order_is_the_callers() {
    let (cache, model) = (Cache::new(10), Model::quick());
    assert_eq!(vectors(&cache, &model, &["b", "a"]).await.unwrap(), expected(&["b", "a"]));
    let mixed = ["c", "a", "c", "b", "d", "a"];
    assert_eq!(vectors(&cache, &model, &mixed).await.unwrap(), expected(&mixed));
    assert_eq!(model.asked(), [vec!["b", "a"], vec!["c", "d"]]);
    assert_eq!(cache.stats(), Stats { hits: 4, misses: 4, hit_rate: 0.5, size: 4 });
}

#[tokio::test]
async fn another_model_or_another_overflow_is_another_vector() {
    let (cache, model, texts) = (Cache::new(10), Model::quick(), arcs(&["a"]));
    for (fingerprint, overflow) in [("one", Overflow::Error), ("two", Overflow::Error), ("one", Overflow::Chunk)] {
        let ready = AtomicUsize::new(0);
        let batch = Batch { cache: &cache, embedder: &model, texts: &texts, overflow, ready: &ready };
        batch.vectors(fingerprint).await.unwrap();
    }
    assert_eq!(model.asked().len(), 3);
}

#[tokio::test]
async fn the_least_used_goes_first_and_a_cache_of_none_keeps_none() {
    let (cache, model) = (Cache::new(2), Model::quick());
    for text in ["a", "b", "a", "c", "a", "b"] {
        vectors(&cache, &model, &[text]).await.unwrap();
    }
    assert_eq!(model.asked(), [["a"], ["b"], ["c"], ["b"]]);

    let (cache, model) = (Cache::new(0), Model::quick());
    for _ in 0..2 {
        assert_eq!(vectors(&cache, &model, &["a", "a"]).await.unwrap(), expected(&["a", "a"]));
    }
    assert_eq!(model.asked(), [["a"], ["a"]]);
    assert_eq!(cache.stats().size, 0);
}

#[tokio::test]
async fn requests_for_the_same_text_share_one_computation() {
    let (cache, model) = (Cache::new(10), Model::new(0));
    let mut first = pin!(vectors(&cache, &model, &["a", "b"]));
    let mut second = pin!(vectors(&cache, &model, &["b", "c"]));
    assert!(futures::poll!(&mut first).is_pending());
    assert!(futures::poll!(&mut second).is_pending());
    assert_eq!(model.asked(), [vec!["a", "b"], vec!["c"]]);
    model.turns.add_permits(2);
    let (first, second) = futures::join!(first, second);
    assert_eq!(first.unwrap(), expected(&["a", "b"]));
    assert_eq!(second.unwrap(), expected(&["b", "c"]));
    assert_eq!(model.asked().len(), 2);
    assert_eq!(cache.stats(), Stats { hits: 1, misses: 3, hit_rate: 0.25, size: 3 });
}

#[tokio::test]
async fn whoever_waits_computes_itself_when_the_other_goes_away() {
    let (cache, model) = (Cache::new(10), Model::new(0));
    let mut waiting = pin!(vectors(&cache, &model, &["a"]));
    {
        let mut cancelled = pin!(vectors(&cache, &model, &["a"]));
        assert!(futures::poll!(&mut cancelled).is_pending());
        assert!(futures::poll!(&mut waiting).is_pending());
        assert_eq!(model.asked(), [["a"]]);
    }
    model.turns.add_permits(1);
    assert_eq!(waiting.await.unwrap(), expected(&["a"]));
    assert_eq!(model.asked().len(), 2);
}

#[tokio::test]
async fn a_failure_is_the_failure_of_its_own_request_only() {
    let (cache, model) = (Cache::new(10), Model::new(0).fails_once(broken()));
    let mut failing = pin!(vectors(&cache, &model, &["a"]));
    let mut waiting = pin!(vectors(&cache, &model, &["a", "b"]));
    assert!(futures::poll!(&mut failing).is_pending());
    assert!(futures::poll!(&mut waiting).is_pending());
    model.turns.add_permits(3);
    let (failing, waiting) = futures::join!(failing, waiting);
    assert_eq!(failing.unwrap_err().code(), "models.upstream_failed");
    assert_eq!(waiting.unwrap(), expected(&["a", "b"]));
    assert_eq!(vectors(&cache, &model, &["a", "b"]).await.unwrap(), expected(&["a", "b"]));
    assert_eq!(model.asked(), [["a"], ["b"], ["a"]]);
}

#[tokio::test]
async fn no_vector_of_another_model_is_kept() {
    let cache = Cache::new(10);
    let replaced = vectors(&cache, &Model { replaced: true, ..Model::quick() }, &["a"]).await;
    assert_eq!(replaced.unwrap_err().code(), "models.upstream_failed");
    assert_eq!(cache.stats().size, 0);
}

#[tokio::test]
async fn nobody_waits_twice() {
    let (cache, model) = (Cache::new(10), Model::new(0));
    let mut second = pin!(vectors(&cache, &model, &["a"]));
    let mut third = pin!(vectors(&cache, &model, &["a"]));
    {
        let mut first = pin!(vectors(&cache, &model, &["a"]));
        assert!(futures::poll!(&mut first).is_pending());
        assert!(futures::poll!(&mut second).is_pending());
        assert!(futures::poll!(&mut third).is_pending());
    }
    assert!(futures::poll!(&mut second).is_pending());
    assert!(futures::poll!(&mut third).is_pending());
    assert_eq!(model.asked().len(), 3);
    model.turns.add_permits(2);
    let (second, third) = futures::join!(second, third);
    assert_eq!(second.unwrap(), third.unwrap());
}

#[tokio::test]
async fn a_refused_text_is_named_by_its_place_in_the_request() {
    let too_long = models::Error::TooLong { position: 1, tokens: 300, limit: 256 };
    let (cache, model) = (Cache::new(10), Model::quick());
    vectors(&cache, &model, &["a", "b"]).await.unwrap();
    let model = model.fails_once(too_long);
    let refused = vectors(&cache, &model, &["a", "c", "b", "c", "long"]).await.unwrap_err();
    assert!(matches!(refused, Error::Model(models::Error::TooLong { position: 4, .. })), "{refused}");
}

#[tokio::test]
async fn what_is_finished_is_kept_when_the_rest_fails() {
    let texts: Vec<String> = (0..PIECE + 1).map(|number| number.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (cache, model) = (Cache::new(10_000), Model::new(1));
    {
        let mut cancelled = pin!(vectors(&cache, &model, &texts));
        assert!(futures::poll!(&mut cancelled).is_pending());
    }
    model.turns.add_permits(1);
    assert_eq!(vectors(&cache, &model, &texts).await.unwrap(), expected(&texts));
    assert_eq!(model.asked().iter().map(Vec::len).collect::<Vec<_>>(), [PIECE, 1, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn every_text_gets_its_own_vector(
        limit in 0..6_usize,
        batches in prop::collection::vec(prop::collection::vec("[a-f]{1,2}", 1..12), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (cache, model) = (Cache::new(limit), Model::quick());
        for batch in &batches {
            let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
            let answered = runtime.block_on(vectors(&cache, &model, &batch)).unwrap();
            prop_assert_eq!(answered, expected(&batch));
            prop_assert!(cache.stats().size <= limit);
        }
        for asked in model.asked() {
            prop_assert_eq!(asked.iter().collect::<HashSet<_>>().len(), asked.len());
        }
        let (stats, texts) = (cache.stats(), batches.iter().map(Vec::len).sum::<usize>());
        let computed: usize = model.asked().iter().map(Vec::len).sum();
        prop_assert_eq!((stats.hits + stats.misses) as usize, texts);
        prop_assert_eq!(stats.misses as usize, computed);
    }
}

/// An `Embed` whose default model stands behind `server`.
fn embed(server: &Scripted, config: Config) -> Embed {
    let provider = Provider::at(Kind::Openai, &server.url());
    let providers = [("scripted".to_owned(), provider)].into();
    let routing =
        Routing { default_model: "scripted/model".to_owned(), ollama_url: config.provider_url.clone(), upstream: None };
    let models = Models::new(&models::Config { providers, ..models::Config::default() }, routing).unwrap();
    Embed::new(models, &config)
}

/// A server with one vector for every text.
fn answering() -> (Scripted, Arc<AtomicUsize>) {
    let texts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&texts);
    let server = Scripted::start(move |request| {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        let count = body["input"].as_array().unwrap().len();
        counted.fetch_add(count, Ordering::SeqCst);
        let data: Vec<_> =
            (0..count).map(|index| serde_json::json!({ "index": index, "embedding": [1.0, 0.5] })).collect();
        Reply::json(200, &serde_json::json!({ "data": data }).to_string())
    });
    (server, texts)
}

fn ask(texts: &[&str]) -> Ask {
    Ask { texts: texts.iter().map(|text| (*text).to_owned()).collect(), ..Ask::default() }
}

#[tokio::test]
async fn an_answer_names_its_model() {
    let (server, _) = answering();
    let embed = embed(&server, Config::default());
    let embedded = embed.embed(ask(&["a", "b"])).await.unwrap();
    assert_eq!((embedded.model.as_str(), embedded.dimension), ("scripted/model", 2));
    assert_eq!(embedded.fingerprint, embed.card(None).await.unwrap().fingerprint);
    assert_eq!(embedded.vectors, [Vector::from([1.0, 0.5]), Vector::from([1.0, 0.5])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_asking_for_one_text_has_it_computed_once() {
    let (server, texts) = answering();
    let embed = embed(&server, Config::default());
    let card = embed.card(None).await.unwrap();
    let probed = texts.load(Ordering::SeqCst);
    let crowd = (0..200).map(|_| {
        let embed = embed.clone();
        spawn(async move { embed.embed(ask(&["the same"])).await })
    });
    for answered in futures::future::join_all(crowd).await {
        assert_eq!(answered.unwrap().unwrap().fingerprint, card.fingerprint);
    }
    assert_eq!(texts.load(Ordering::SeqCst) - probed, 1);
    assert_eq!(embed.stats(), Stats { hits: 199, misses: 1, hit_rate: 0.995, size: 1 });
}

#[expect(clippy::disallowed_methods, reason = "a test that wants threads")]
fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}

#[tokio::test]
async fn what_cannot_be_embedded_is_refused_before_any_call() {
    let (server, texts) = answering();
    let config = Config { max_texts: 3, max_text_bytes: ByteSize(8), ..Config::default() };
    let embed = embed(&server, config);
    let cases: [(&[&str], &str); 4] = [
        (&[], "embed.no_texts"),
        (&["a", "", "b"], "embed.empty_text"),
        (&["a", "b", "c", "d"], "embed.too_many_texts"),
        (&["abcd", "efghi"], "embed.too_large"),
    ];
    for (texts, code) in cases {
        assert_eq!(embed.embed(ask(texts)).await.unwrap_err().code(), code);
    }
    assert_eq!(embed.embed(ask(&["a", ""])).await.unwrap_err().to_string(), "texts[1] is empty");
    assert_eq!(texts.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn one_deadline_holds_for_the_whole_request() {
    let server = Scripted::start(|_| Reply::Silence);
    let embed = embed(&server, Config { timeout: Span::millis(50), ..Config::default() });
    assert_eq!(embed.embed(ask(&["a"])).await.unwrap_err().code(), "embed.timeout");
    assert_eq!(embed.card(None).await.unwrap_err().code(), "embed.timeout");
}

#[tokio::test]
async fn an_unknown_model_is_named() {
    let (server, _) = answering();
    let unknown = Ask { model: Some("nobody/knows".to_owned()), ..ask(&["a"]) };
    let refused = embed(&server, Config::default()).embed(unknown).await.unwrap_err();
    assert_eq!(refused.code(), "models.unknown_model");
    assert!(refused.to_string().contains("nobody/knows"), "{refused}");
}
