//! Stores that must be refused, and failures that must be told apart.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base::{Fault, Kind, Seams};
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as Told, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use storage::{Error, Store};
use testkit::{Asked, Bucket, Call, Fate, Faulty, Fickle, JuiceFs, Mishap, Reply, S3Server, Scripted};

/// How a store fails to keep its word.
#[derive(Debug, Clone, Copy)]
enum Vice {
    /// A create replaces what is there.
    Replaces,
    /// A create looks first and writes then, so several that look at once all win.
    Races,
}

#[derive(Debug)]
struct Broken {
    vice: Vice,
    memory: InMemory,
}

impl Broken {
    fn store(vice: Vice) -> Store {
        Store::over(Arc::new(Self { vice, memory: InMemory::new() }), "memory://broken", Seams::system())
    }

    async fn create(&self, location: &Path, payload: PutPayload) -> Result<PutResult> {
        match self.vice {
            Vice::Replaces => self.memory.put(location, payload).await,
            Vice::Races => {
                let taken = self.memory.head(location).await.is_ok();
                tokio::task::yield_now().await;
                if taken {
                    return Err(Told::AlreadyExists { path: location.to_string(), source: "taken".into() });
                }
                self.memory.put(location, payload).await
            }
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Broken")
    }
}

#[async_trait]
impl ObjectStore for Broken {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match options.mode {
            PutMode::Create => self.create(location, payload).await,
            _ => self.memory.put_opts(location, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.memory.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.memory.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.memory.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.memory.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn a_store_whose_creates_replace_is_refused() {
    let store = Broken::store(Vice::Replaces);
    for refused in [store.probe().await, store.probe_race(8).await] {
        assert!(matches!(refused, Err(Error::NotAtomic { .. })), "{refused:?}");
    }
    let left = store.list("", None, 10).await.expect("a list").entries;
    assert_eq!(left, [], "the marks are removed even so");
}

#[tokio::test]
async fn a_store_whose_racing_creators_all_win_is_refused() {
    let store = Broken::store(Vice::Races);
    store.probe().await.expect("one after the other it behaves");
    let refused = store.probe_race(8).await.expect_err("a race shows it");
    assert_eq!(refused.to_string(), "this store cannot hold a lake: of 8 racing creators of one name 8 won");
    assert_eq!((refused.kind(), refused.code()), (Kind::Damaged, "storage.not_atomic"));
}

#[tokio::test]
async fn a_gateway_that_ignores_the_condition_of_a_create_is_refused_at_start() {
    let Some(gateway) = JuiceFs::start("storage::broken::a_gateway_that_ignores") else { return };
    let refused = Store::open(&gateway.location(), &gateway.config(), Seams::system()).await.expect_err("refused");
    let why = "this store cannot hold a lake: it lets a second create of the same name succeed";
    assert_eq!((refused.to_string().as_str(), refused.code()), (why, "storage.not_atomic"));
}

/// An S3 server that looks whether a name is taken, then lets another one look before it writes.
#[derive(Default)]
struct Hesitant {
    objects: Mutex<HashMap<String, String>>,
    looked: Mutex<HashMap<String, usize>>,
    more_looked: Condvar,
}

impl Hesitant {
    fn answer(&self, asked: &Asked) -> Reply {
        let headers =
            vec![("etag", "\"one\"".to_owned()), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned())];
        match asked.method.as_str() {
            "PUT" if asked.header("if-none-match").is_some() && self.is_taken(&asked.path) => {
                Reply::Answer(412, vec![], b"<Error><Code>PreconditionFailed</Code></Error>".to_vec())
            }
            "PUT" => {
                self.objects.lock().unwrap().insert(asked.path.clone(), asked.body.clone());
                Reply::Answer(200, headers, vec![])
            }
            "DELETE" => Reply::Answer(204, vec![], vec![]),
            _ => match self.objects.lock().unwrap().get(&asked.path) {
                Some(body) => Reply::Answer(200, headers, body.clone().into_bytes()),
                None => Reply::Answer(404, vec![], vec![]),
            },
        }
    }

    fn is_taken(&self, path: &str) -> bool {
        let taken = self.objects.lock().unwrap().contains_key(path);
        let mut looked = self.looked.lock().unwrap();
        *looked.entry(path.to_owned()).or_default() += 1;
        self.more_looked.notify_all();
        // Whoever comes alone is served after a moment.
        let alone = |looked: &mut HashMap<String, usize>| looked[path] < 2;
        drop(self.more_looked.wait_timeout_while(looked, Duration::from_millis(500), alone).unwrap());
        taken
    }
}

#[tokio::test]
async fn a_server_that_lets_racing_creators_win_is_refused() {
    let hesitant = Hesitant::default();
    let server = Scripted::start(move |asked| hesitant.answer(asked));
    let s3 =
        storage::S3Config { endpoint: server.url(), access_key_id: "x".to_owned(), ..storage::S3Config::default() };
    let location = storage::Location::S3 { bucket: "lake".to_owned(), prefix: String::new() };
    let config = storage::Config { s3, ..storage::Config::default() };
    let store = Store::open(&location, &config, Seams::system()).await.expect("one after the other it behaves");
    let refused = store.probe_race(8).await.expect_err("a race shows it");
    assert_eq!(refused.code(), "storage.not_atomic");
    assert!(refused.to_string().starts_with("this store cannot hold a lake: of 8 racing creators"), "{refused}");
}

#[tokio::test]
async fn a_lost_reply_leaves_the_outcome_open() {
    let fickle = Fickle::new();
    fickle.plan(&[Mishap::LosesReply]);
    let store = fickle.store();
    let outcome = store.create("x", Bytes::from_static(b"mine")).await;
    assert!(matches!(outcome, Err(Error::OutcomeUnknown { .. })), "{outcome:?}");
    assert_eq!(store.get("x").await.expect("it had happened"), "mine");
}

/// The fate of a store that has no room.
struct NoRoom;

#[async_trait]
impl Fate for NoRoom {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        call.verb.writes().then_some(Mishap::Full)
    }
}

#[tokio::test]
async fn a_full_store_says_so() {
    let bucket = Arc::new(Bucket::new(Seams::system()));
    let store = Faulty::over(bucket, Arc::new(NoRoom), Seams::system()).store("memory://full");
    let full = store.put("x", Bytes::new()).await.expect_err("no room");
    assert_eq!(
        (full.kind(), full.code(), full.to_string().as_str()),
        (Kind::Unavailable, "storage.full", "the store is full")
    );
}

#[tokio::test]
async fn a_server_that_refuses_or_is_not_there_is_unavailable() {
    let nobody = storage::S3Config { endpoint: "http://127.0.0.1:9".to_owned(), ..storage::S3Config::default() };
    let Some(server) = S3Server::start("storage::broken::a_server_that_refuses") else { return };
    let wrong = storage::S3Config { secret_access_key: storage::Secret::new("wrong"), ..server.s3() };
    let wrong_bucket = storage::Location::S3 { bucket: "absent".to_owned(), prefix: String::new() };
    let check = async |location: storage::Location, s3: storage::S3Config| {
        let config = storage::Config { s3, ..storage::Config::default() };
        let refused = Store::open(&location, &config, Seams::system()).await.expect_err("refused");
        assert_eq!(refused.kind(), Kind::Unavailable, "{refused:?}");
        assert!(!refused.to_string().contains("127.0.0.1"), "{refused}");
    };
    check(server.location("x"), wrong).await;
    check(wrong_bucket, server.s3()).await;
    let nobody = storage::S3Config { access_key_id: "x".to_owned(), ..nobody };
    check(server.location("x"), nobody).await;
}
