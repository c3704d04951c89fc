//! S3 servers, reached over HTTP.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    CopyOptions, Error as Told, GetOptions, GetResult, HeaderValue, ListResult, MultipartId, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    RetryConfig, UploadPart,
};

use crate::config::S3Config;
use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

type Answer<T> = object_store::Result<T>;

/// How long a failing request is repeated before its failure is reported.
const PATIENCE: Duration = Duration::from_secs(30);
const REPEATS: usize = 5;

/// The part of a bucket that begins with `prefix`.
pub(crate) fn connect(bucket: &str, prefix: &str, config: &S3Config) -> Result<Arc<dyn ObjectStore>> {
    let bucket = build(bucket, config).map_err(|error| Error::Unavailable { source: error.into() })?;
    let bucket = Bucket { server: Arc::new(bucket) };
    if prefix.is_empty() {
        return Ok(Arc::new(bucket));
    }
    Ok(Arc::new(PrefixStore::new(bucket, Path::from(prefix))))
}

fn build(bucket: &str, config: &S3Config) -> Answer<AmazonS3> {
    let retry = RetryConfig { max_retries: REPEATS, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&config.region)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(retry)
        .with_http_connector(Connector)
        .with_allow_http(config.allow_http || is_loopback(&config.endpoint));
    if !config.endpoint.is_empty() {
        builder = builder.with_endpoint(&config.endpoint);
    }
    if !config.access_key_id.is_empty() {
        builder =
            builder.with_access_key_id(&config.access_key_id).with_secret_access_key(config.secret_access_key.expose());
    }
    builder.build()
}

/// Whether the endpoint lies on this machine, so that nobody else can listen.
fn is_loopback(endpoint: &str) -> bool {
    let host = endpoint.strip_prefix("http://").unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host == *name || host.starts_with(&format!("{name}:")))
}

/// A bucket whose uploads in parts can be conditional, which the client library offers for single requests only.
#[derive(Debug)]
struct Bucket {
    server: Arc<AmazonS3>,
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Answer<PutResult> {
        self.server.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        mut options: PutMultipartOptions,
    ) -> Answer<Box<dyn MultipartUpload>> {
        let mode = options.extensions.remove::<PutMode>().unwrap_or(PutMode::Overwrite);
        let id = self.server.create_multipart(location).await?;
        let server = Arc::clone(&self.server);
        Ok(Box::new(Upload { server, location: location.clone(), id, mode, begun: 0, parts: Arc::default() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Answer<GetResult> {
        self.server.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Answer<Vec<Bytes>> {
        self.server.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Answer<Path>>) -> BoxStream<'static, Answer<Path>> {
        self.server.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Answer<ObjectMeta>> {
        self.server.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Answer<ObjectMeta>> {
        self.server.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Answer<ListResult> {
        self.server.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Answer<()> {
        self.server.copy_opts(from, to, options).await
    }
}

/// An upload in parts whose condition must hold when it ends.
#[derive(Debug)]
struct Upload {
    server: Arc<AmazonS3>,
    location: Path,
    id: MultipartId,
    mode: PutMode,
    begun: usize,
    parts: Arc<Mutex<BTreeMap<usize, PartId>>>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        let (server, location, id) = (Arc::clone(&self.server), self.location.clone(), self.id.clone());
        let (parts, index) = (Arc::clone(&self.parts), self.begun);
        self.begun += 1;
        Box::pin(async move {
            let part = server.put_part(&location, &id, index, payload).await?;
            parts.lock().unwrap_or_else(PoisonError::into_inner).insert(index, part);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Answer<PutResult> {
        self.check().await?;
        let parts = std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        let parts = parts.into_values().collect();
        let completed = self.server.complete_multipart(&self.location, &self.id, parts);
        match CONDITION.scope(self.mode.clone(), completed).await {
            // The upload is gone: a repeated request may have met its own success.
            Err(Told::NotFound { source, .. }) => Err(Told::Generic { store: "S3", source }),
            Err(Told::Precondition { path, source }) if self.mode == PutMode::Create => {
                Err(Told::AlreadyExists { path, source })
            }
            completed => completed,
        }
    }

    async fn abort(&mut self) -> Answer<()> {
        match self.server.abort_multipart(&self.location, &self.id).await {
            // Some servers give an upload up by themselves when its condition fails.
            Err(Told::NotFound { .. }) => Ok(()),
            aborted => aborted,
        }
    }
}

impl Upload {
    /// Some servers do not look at `If-Match` at the end of an upload, so it is compared here as well, late.
    async fn check(&self) -> Answer<()> {
        let PutMode::Update(version) = &self.mode else { return Ok(()) };
        let found = match self.server.head(&self.location).await {
            Ok(meta) => meta.e_tag,
            Err(Told::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        if found.is_some() && found == version.e_tag {
            return Ok(());
        }
        Err(Told::Precondition { path: self.location.to_string(), source: "the object changed or is gone".into() })
    }
}

tokio::task_local! {
    /// The condition that the request which ends an upload carries.
    static CONDITION: PutMode;
}

/// Connects like the client library, but spells queries as they were signed, and adds the condition in force to the
/// requests that end uploads.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> Answer<HttpClient> {
        let plain = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Conditional(plain)))
    }
}

#[derive(Debug)]
struct Conditional(HttpClient);

#[async_trait]
impl HttpService for Conditional {
    async fn call(&self, mut request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        let header = CONDITION.try_with(condition_header).ok().flatten();
        if let Some((name, value)) = header.filter(|_| request.method().as_str() == "POST") {
            request.headers_mut().insert(name, value);
        }
        if let Some(Ok(uri)) = spelled_as_signed(&request.uri().to_string()).map(|uri| uri.parse()) {
            *request.uri_mut() = uri;
        }
        self.0.execute(request).await
    }
}

/// The address with its query spelled as signatures spell it, where the client library's spelling differs: servers may
/// compare the two byte by byte.
fn spelled_as_signed(address: &str) -> Option<String> {
    let (path, query) = address.split_once('?')?;
    let query = query.replace('+', "%20").replace('*', "%2A").replace("%7E", "~");
    Some(format!("{path}?{query}"))
}

/// The header that states a condition. It is not among the signed ones, which S3 allows.
fn condition_header(mode: &PutMode) -> Option<(&'static str, HeaderValue)> {
    match mode {
        PutMode::Overwrite => None,
        PutMode::Create => Some(("if-none-match", HeaderValue::from_static("*"))),
        PutMode::Update(version) => {
            let etag = HeaderValue::from_str(version.e_tag.as_deref()?).ok()?;
            Some(("if-match", etag))
        }
    }
}
