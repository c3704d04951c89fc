//! Objects: put, get, list, delete.

use base::Timestamp;
use bytes::Bytes;
use futures::Stream;
use http::header::{CONTENT_LENGTH, ETAG, HeaderName, HeaderValue, RANGE};
use http::{HeaderMap, Method, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::Body;
use crate::client::{Client, request, segment, with_query};
use crate::error::{Error, Result};

/// A stored object, as a PUT answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stored {
    /// The key.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// The entity tag.
    pub etag: String,
    /// SHA-256 of the content, in hex.
    pub sha256: String,
}

/// An object of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// The key.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// When it was last written.
    #[schemars(with = "String")]
    pub modified: Timestamp,
    /// The entity tag.
    pub etag: String,
}

/// One page of a list, sorted by key as the store writes keys (control characters and the like as `%XX`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<Object>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An object on its way here.
pub struct Download {
    /// Length in bytes, when the service states it.
    pub size: Option<u64>,
    /// The entity tag.
    pub etag: Option<String>,
    /// The content.
    pub body: Body,
}

impl Client {
    /// Puts an object under `key`, replacing what is there. `size` is the length in bytes, when known.
    pub async fn put_object(&self, key: &str, body: Body, size: Option<u64>) -> Result<Stored> {
        let mut request = request(Method::PUT, &object_path(key), body)?;
        if let Some(size) = size {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size));
        }
        self.call_json(request).await
    }

    /// Gets an object, whole or the byte range `first..=last`.
    pub async fn get_object(&self, key: &str, range: Option<(u64, u64)>) -> Result<Download> {
        let mut request: Request<Body> = request(Method::GET, &object_path(key), Body::empty())?;
        if let Some((first, last)) = range {
            let range = HeaderValue::try_from(format!("bytes={first}-{last}"));
            request.headers_mut().insert(RANGE, range.map_err(|why| Error::Request(why.to_string()))?);
        }
        let answer = self.call(request).await?;
        let size = text(answer.headers(), &CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let etag = text(answer.headers(), &ETAG);
        Ok(Download { size, etag, body: answer.into_body() })
    }

    /// Deletes an object; one that is not there is fine.
    pub async fn delete_object(&self, key: &str) -> Result<()> {
        self.call(request(Method::DELETE, &object_path(key), Body::empty())?).await.map(drop)
    }

    /// One page of the objects whose key begins with `prefix`, after the text `after`.
    pub async fn list_objects(&self, prefix: &str, after: Option<&str>, limit: Option<usize>) -> Result<ObjectPage> {
        let pairs = [
            ("prefix", Some(prefix.to_owned())),
            ("after", after.map(str::to_owned)),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.get_json(&with_query("/v1/storage/list", &pairs)).await
    }
}

impl Download {
    /// The content, piece by piece.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        self.body.into_stream()
    }
}

fn object_path(key: &str) -> String {
    format!("/v1/storage/objects/{}", segment(key))
}

/// A header of an answer as text.
pub(crate) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
