//! The two ways to a service: over the network, or a call in this process.

use std::time::Duration;

use http::{Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};
use url::Url;

use crate::body::Body;
use crate::error::{BoxError, Error, Result};

/// How long a service may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Carries one request to a service and its answer back. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Transport {
    /// Over the network, to the service at this base URL.
    Remote { http: reqwest::Client, base: Url },
    /// Into a service of this process.
    Local(BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>),
}

impl Transport {
    pub(crate) fn remote(base: Url) -> Result<Self> {
        let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = plain.connect_timeout(CONNECT_TIMEOUT).build().map_err(Error::broken)?;
        Ok(Self::Remote { http, base })
    }

    pub(crate) fn local<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: hyper::body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let wrapped = service.map_response(|answer: Response<B>| answer.map(Body::wrap)).map_err(Into::into);
        Self::Local(BoxCloneSyncService::new(wrapped))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<Body>> {
        match self {
            Self::Remote { http, base } => send_remote(http, base, request).await,
            Self::Local(service) => service.clone().oneshot(request).await.map_err(Error::broken),
        }
    }
}

async fn send_remote(http: &reqwest::Client, base: &Url, request: Request<Body>) -> Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", base.as_str().trim_end_matches('/'));
    let mut outgoing = http.request(head.method, &url).headers(head.headers);
    if !hyper::body::Body::is_end_stream(&body) {
        outgoing = outgoing.body(reqwest::Body::wrap_stream(body.into_stream()));
    }
    let answer = outgoing.send().await.map_err(|cause| refused_or_broken(base, cause))?;
    let answer: Response<reqwest::Body> = answer.into();
    Ok(answer.map(Body::wrap))
}

fn refused_or_broken(base: &Url, cause: reqwest::Error) -> Error {
    let cause = cause.without_url();
    if cause.is_connect() {
        return Error::Unreachable { address: base.to_string(), cause: Box::new(cause) };
    }
    Error::broken(cause)
}
