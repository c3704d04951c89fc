//! A store that fails on purpose, over any other.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::Seams;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error as Told, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use storage::{Store, task};

/// What a store is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Write what must not be there.
    Create,
    /// Write, whatever is there.
    Put,
    /// Write where a certain object is.
    Update,
    /// Begin an upload in parts.
    Begin,
    /// Take a part of an upload.
    Part,
    /// Make an upload an object.
    Complete,
    /// Give an upload up.
    Abort,
    /// Read, or look.
    Get,
    /// List.
    List,
    /// Delete.
    Delete,
    /// Copy.
    Copy,
}

/// One call of a store.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What is asked for.
    pub verb: Verb,
    /// Of which object, or under which prefix.
    pub path: &'a str,
}

/// What goes wrong with a call. What makes no sense for its verb is `FailsBefore`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It fails without a trace, and the caller cannot tell.
    FailsBefore,
    /// It works, and the caller never hears of it.
    LosesReply,
    /// A write fails in the eyes of its caller, and takes effect that much later.
    LandsLate(Duration),
    /// A create works, the store repeats it by itself, and reports that the name is taken.
    TakenByItself,
    /// A create is refused because another is said to be under way: S3's retryable 409.
    Contended,
    /// There is no room for it.
    Full,
    /// A read yields half of what it should, then fails.
    BreaksOff,
    /// A list misses what was written within so long.
    ListsOld(Duration),
}

/// Decides what befalls the calls of one store.
#[async_trait]
pub trait Fate: Send + Sync {
    /// Before a call takes effect. It may take its time, or never come back.
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap>;

    /// After the call, before its caller hears of it.
    async fn ended(&self, _: &Call<'_>, _: Ending) {}
}

/// How a call ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As asked for.
    Done,
    /// The store refused: absent, taken, changed.
    Refused,
    /// The store failed.
    Failed,
}

/// A store whose calls may go wrong.
#[derive(Clone)]
pub struct Faulty {
    backing: Arc<dyn ObjectStore>,
    fate: Arc<dyn Fate>,
    seams: Seams,
}

impl Faulty {
    /// A store over `backing` whose calls meet this fate.
    pub fn over(backing: Arc<dyn ObjectStore>, fate: Arc<dyn Fate>, seams: Seams) -> Self {
        Self { backing, fate, seams }
    }

    /// The store as the house knows it, as one behind a network, at this address.
    pub fn store(&self, uri: &str) -> Store {
        Store::over(Arc::new(self.clone()), uri, self.seams.clone())
    }

    /// Lets a call meet its fate. `effect` is what the store does about it.
    async fn run<T: Send + 'static>(
        &self,
        verb: Verb,
        path: &Path,
        effect: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let call = Call { verb, path: path.as_ref() };
        let answer = match self.fate.befall(&call).await {
            None => effect.await,
            Some(Mishap::LosesReply) => effect.await.and(Err(lost())),
            Some(Mishap::LandsLate(span)) if verb.writes() => {
                let wait = self.seams.wait(span);
                task::spawn("late write", async move { wait.then(|()| effect).await.is_ok() });
                Err(lost())
            }
            Some(Mishap::TakenByItself) if verb == Verb::Create => effect.await.and(Err(taken(path))),
            Some(Mishap::Contended) if verb == Verb::Create => Err(taken(path)),
            Some(Mishap::Full) => Err(full()),
            Some(_) => Err(lost()),
        };
        self.fate.ended(&call, Ending::of(&answer)).await;
        answer
    }

    async fn get(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let call = Call { verb: Verb::Get, path: location.as_ref() };
        let answer = match self.fate.befall(&call).await {
            None => self.backing.get_opts(location, options).await,
            Some(Mishap::BreaksOff) => self.backing.get_opts(location, options).await.map(broken_off),
            Some(_) => Err(lost()),
        };
        self.fate.ended(&call, Ending::of(&answer)).await;
        answer
    }

    /// What a list holds; with `ListsOld`, without what is too new.
    async fn listed(self, prefix: Option<Path>) -> Result<Vec<ObjectMeta>> {
        let path = prefix.clone().unwrap_or_default();
        let call = Call { verb: Verb::List, path: path.as_ref() };
        let mishap = self.fate.befall(&call).await;
        let all = self.backing.list(prefix.as_ref()).try_collect::<Vec<_>>();
        let answer = match mishap {
            None => all.await,
            Some(Mishap::ListsOld(span)) => {
                let limit = self.seams.now().micros() - i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
                let old = |meta: &ObjectMeta| meta.last_modified.timestamp_micros() <= limit;
                all.await.map(|all| all.into_iter().filter(old).collect())
            }
            Some(_) => Err(lost()),
        };
        self.fate.ended(&call, Ending::of(&answer)).await;
        answer
    }
}

impl Verb {
    /// Whether it changes what the store holds.
    pub fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Put | Self::Update | Self::Complete | Self::Delete | Self::Copy)
    }
}

impl Ending {
    fn of<T>(answer: &Result<T>) -> Self {
        match answer {
            Ok(_) => Self::Done,
            Err(Told::Generic { .. }) => Self::Failed,
            Err(_) => Self::Refused,
        }
    }
}

fn lost() -> Told {
    Told::Generic { store: "faulty", source: "no answer".into() }
}

fn full() -> Told {
    Told::Generic { store: "faulty", source: Box::new(io::Error::from(io::ErrorKind::StorageFull)) }
}

fn taken(path: &Path) -> Told {
    Told::AlreadyExists { path: path.to_string(), source: "412".into() }
}

/// What is read, with half of its first piece and then nothing more.
fn broken_off(mut got: GetResult) -> GetResult {
    let payload = std::mem::replace(&mut got.payload, GetResultPayload::Stream(stream::empty().boxed()));
    let whole = GetResult { payload, ..got_like(&got) }.into_stream();
    let half = whole.take(1).map_ok(|piece| piece.slice(..piece.len() / 2));
    got.payload = GetResultPayload::Stream(half.chain(stream::iter([Err(lost())])).boxed());
    got
}

fn got_like(got: &GetResult) -> GetResult {
    GetResult {
        payload: GetResultPayload::Stream(stream::empty().boxed()),
        meta: got.meta.clone(),
        range: got.range.clone(),
        attributes: got.attributes.clone(),
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let verb = match options.mode {
            PutMode::Create => Verb::Create,
            PutMode::Overwrite => Verb::Put,
            PutMode::Update(_) => Verb::Update,
        };
        let (backing, target) = (Arc::clone(&self.backing), location.clone());
        self.run(verb, location, async move { backing.put_opts(&target, payload, options).await }).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let (backing, target) = (Arc::clone(&self.backing), location.clone());
        let begin = async move { backing.put_multipart_opts(&target, options).await };
        let upload = self.run(Verb::Begin, location, begin).await?;
        Ok(Box::new(Upload { store: self.clone(), location: location.clone(), upload: Some(upload) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.get(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let delete = move |location: Path| {
            let (store, backing, target) = (store.clone(), Arc::clone(&store.backing), location.clone());
            async move {
                store.run(Verb::Delete, &location, async move { backing.delete(&target).await }).await?;
                Ok(location)
            }
        };
        locations.and_then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed = self.clone().listed(prefix.cloned());
        let items = |listed: Vec<ObjectMeta>| stream::iter(listed.into_iter().map(Ok));
        listed.map_ok(items).try_flatten_stream().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let (backing, prefix) = (Arc::clone(&self.backing), prefix.cloned());
        let path = prefix.clone().unwrap_or_default();
        self.run(Verb::List, &path, async move { backing.list_with_delimiter(prefix.as_ref()).await }).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (backing, from, target) = (Arc::clone(&self.backing), from.clone(), to.clone());
        self.run(Verb::Copy, to, async move { backing.copy_opts(&from, &target, options).await }).await
    }
}

/// An upload in parts whose calls may go wrong.
#[derive(Debug)]
struct Upload {
    store: Faulty,
    location: Path,
    /// Gone once it was completed or given up.
    upload: Option<Box<dyn MultipartUpload>>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let part = self.upload.as_mut().map(|upload| upload.put_part(payload));
        let (store, location) = (self.store.clone(), self.location.clone());
        let effect = async move { part.ok_or_else(lost)?.await };
        async move { store.run(Verb::Part, &location, effect).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let upload = self.upload.take();
        let effect = async move { upload.ok_or_else(lost)?.complete().await };
        self.store.run(Verb::Complete, &self.location, effect).await
    }

    async fn abort(&mut self) -> Result<()> {
        let upload = self.upload.take();
        let effect = async move { upload.ok_or_else(lost)?.abort().await };
        self.store.run(Verb::Abort, &self.location, effect).await
    }
}
