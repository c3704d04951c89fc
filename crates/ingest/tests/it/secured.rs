//! Databases behind encrypted connections, and such as fall silent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::{Fault, Kind, Span};
use ingest::{Error, Postgres};
use storage::Secret;
use testkit::PostgresServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::lake::{Lake, request};
use crate::origins::{database, lake, load, query};

const AUTHORITY: &str = include_str!("../../../../testdata/tls/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../../testdata/tls/server.pem");
const KEY: &[u8] = include_bytes!("../../../../testdata/tls/server.key");

/// A door in front of a server that lets nobody in without encryption. Its certificate is `localhost`'s.
async fn encrypting(server: SocketAddr) -> u16 {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let config = config.with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(KEY).unwrap()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    door(move |mut client| {
        let acceptor = acceptor.clone();
        async move {
            let mut asked = [0; 8];
            client.read_exact(&mut asked).await?;
            if asked != [0, 0, 0, 8, 4, 210, 22, 47] {
                return Ok(());
            }
            client.write_all(b"S").await?;
            let mut client = acceptor.accept(client).await?;
            copy_bidirectional(&mut client, &mut TcpStream::connect(server).await?).await.map(drop)
        }
    })
    .await
}

/// A door in front of a server that lets so many of its bytes pass and then nothing more.
async fn falling_silent(server: SocketAddr, bytes: u64) -> u16 {
    door(move |client| async move {
        let (mut from_client, mut to_client) = client.into_split();
        let (from_server, mut to_server) = TcpStream::connect(server).await?.into_split();
        let told = async { tokio::io::copy(&mut from_server.take(bytes), &mut to_client).await };
        let asked = async { tokio::io::copy(&mut from_client, &mut to_server).await };
        tokio::join!(told, asked).1.map(drop)
    })
    .await
}

async fn door<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> u16
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    storage::task::spawn("door", async move {
        while let Ok((client, _)) = listener.accept().await {
            // A client that is turned away says so itself.
            storage::task::spawn("guest", serve_quietly(serve(client)));
        }
    });
    port
}

async fn serve_quietly(serving: impl Future<Output = std::io::Result<()>>) {
    let _ = serving.await;
}

/// A lake that may ask the database at this address.
async fn asking(url: String, authorities: Option<&str>, timeout: Span) -> Lake {
    let authorities = authorities.map(str::to_owned);
    lake(&database(Postgres { url: Secret::new(url), authorities, timeout })).await
}

async fn asked(url: String, authorities: Option<&str>) -> Result<u64, Error> {
    let lake = asking(url, authorities, Span::secs(60)).await;
    load(&lake, request("t"), query("SELECT 1 AS id")).await.map(|outcome| outcome.row_count)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_encrypted_and_servers_vouched_for_as_the_url_demands() {
    let Some(server) =
        PostgresServer::start("ingest::secured::connections_are_encrypted_and_servers_vouched_for_as_the_url_demands")
    else {
        return;
    };
    let port = encrypting(server.address()).await;
    let url = |host: &str, mode: &str| format!("postgres://{}@{host}:{port}/postgres?sslmode={mode}", server.user());
    assert_eq!(asked(url("localhost", "verify-full"), Some(AUTHORITY)).await.unwrap(), 1);
    let key_value = format!("host=localhost port={port} user={} dbname=postgres sslmode=verify-full", server.user());
    assert_eq!(asked(key_value, Some(AUTHORITY)).await.unwrap(), 1);
    for mode in ["require", "prefer"] {
        assert_eq!(asked(url("127.0.0.1", mode), None).await.unwrap(), 1, "{mode}");
    }
    let plain = asked(url("localhost", "disable"), None).await.unwrap_err();
    assert_eq!(plain.code(), "ingest.upstream_failed", "the door takes nobody unencrypted");
    let strangers = [
        (url("localhost", "verify-full"), None, "the machine does not know the authority"),
        (url("127.0.0.1", "verify-full"), Some(AUTHORITY), "the certificate is another host's"),
    ];
    for (url, authorities, why) in strangers {
        let error = asked(url, authorities).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("ingest.upstream_failed", Kind::Unavailable), "{why}: {error}");
        assert!(error.to_string().contains("\"crm\"") && !error.to_string().contains("localhost"), "{error}");
    }
    let unencrypted = asked(format!("{}?sslmode=require", server.url()), None).await.unwrap_err();
    assert_eq!(unencrypted.code(), "ingest.upstream_failed", "the server itself offers no encryption");
    assert_eq!(asked(format!("{}?sslmode=prefer", server.url()), None).await.unwrap(), 1);
    for (mode, authorities) in [("verify-ca", None), ("verify-full", Some("no certificate"))] {
        let error = asked(url("localhost", mode), authorities).await.unwrap_err();
        assert_eq!(error.code(), "ingest.query_refused", "{mode}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_falls_silent_is_given_up() {
    let Some(server) = PostgresServer::start("ingest::secured::a_database_that_falls_silent_is_given_up") else {
        return;
    };
    // At the first word, and in the middle of the rows.
    for bytes in [0, 5_000] {
        let port = falling_silent(server.address(), bytes).await;
        let url = format!("postgres://{}@127.0.0.1:{port}/postgres?sslmode=disable", server.user());
        let lake = asking(url, None, Span(Duration::from_millis(300))).await;
        let before = lake.paths().await;
        let rows = query("SELECT n AS id FROM generate_series(1, 10000) AS n");
        let error = load(&lake, request("t"), rows).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), ("ingest.upstream_timeout", Kind::Unavailable), "{bytes}: {error}");
        assert_eq!(error.facts()["database"], "crm");
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
        assert_eq!(lake.paths().await, before);
    }
}
