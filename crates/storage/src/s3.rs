//! S3 servers, reached over HTTP.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::prefix::PrefixStore;

use crate::config::S3Config;
use crate::error::{Error, Result};

/// The part of a bucket that begins with `prefix`.
pub(crate) fn connect(bucket: &str, prefix: &str, config: &S3Config) -> Result<Arc<dyn ObjectStore>> {
    let bucket = build(bucket, config).map_err(|error| Error::Unavailable { source: error.into() })?;
    if prefix.is_empty() {
        return Ok(Arc::new(bucket));
    }
    Ok(Arc::new(PrefixStore::new(bucket, Path::from(prefix))))
}

fn build(bucket: &str, config: &S3Config) -> object_store::Result<AmazonS3> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&config.region)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
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
