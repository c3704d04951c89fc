//! Who may ask: every door, every route, every method, over real sockets.

use std::net::SocketAddr;

use api::auth::{NamedToken, Scope};
use api::{Auth, AuthConfig, Role, Shared};
use axum::Router;
use base::Seams;
use storage::Secret;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::stack::{Stack, Stop, limits};

const TOKEN: &str = "a-token-for-everything";
const READER: &str = "a-token-that-reads";
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "BREW"];

/// Every path of the API, as the gateway describes it, and some that nobody answers.
async fn paths(gateway: &Router) -> Vec<String> {
    let described = crate::stack::get(gateway, "/openapi.json").await.json();
    let described = described["paths"].as_object().unwrap().keys().map(|path| path.replace(['{', '}', '*'], ""));
    let health = |path: &String| ["/health", "/livez", "/readyz"].contains(&path.as_str());
    let paths: Vec<String> = described.filter(|path| !health(path)).collect();
    assert!(paths.len() > 20, "{paths:?}");
    paths.into_iter().chain(["/", "/metrics", "/no/such/path", "/v1/no/such/path"].map(str::to_owned)).collect()
}

/// A client with one connection at a time, which the door may close.
struct Caller {
    address: SocketAddr,
    line: Option<BufReader<TcpStream>>,
}

impl Caller {
    fn of(address: SocketAddr) -> Self {
        Self { address, line: None }
    }

    /// The status of the answer, and its headers in small letters.
    async fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let host = format!("localhost:{}", self.address.port());
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {host}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut line = match self.line.take() {
            Some(line) => line,
            None => BufReader::new(TcpStream::connect(self.address).await.unwrap()),
        };
        line.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        let answered = read_head(&mut line).await;
        let length = answered.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        if method != "HEAD" {
            line.read_exact(&mut vec![0; length]).await.unwrap();
        }
        if !answered.contains("connection: close") {
            self.line = Some(line);
        }
        (answered[9..12].parse().unwrap(), answered)
    }
}

async fn read_head(line: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(line.read_line(&mut head).await.unwrap(), 0, "cut off: {head}");
    }
    head.to_ascii_lowercase()
}

fn config() -> AuthConfig {
    let reader = NamedToken { name: "reader".to_owned(), token: Secret::new(READER), scopes: vec![Scope::Read] };
    AuthConfig { token: Some(Secret::new(TOKEN)), tokens: vec![reader], ..AuthConfig::default() }
}

async fn guarded(config: &AuthConfig) -> Stack {
    let auth = Auth::settle(config).unwrap();
    Stack::over(Shared::new(Seams::system(), limits()).with_auth(auth)).await
}

fn bearer(token: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {token}"))
}

#[tokio::test]
async fn every_route_and_method_of_every_door_asks_for_the_token_and_for_its_own_name() {
    let stack = guarded(&config()).await;
    let (stop, split) = (Stop::default(), stack.split());
    let here = stop.serve_as(Role::Gateway, stack.gateway(), stack.shared.clone());
    let mut doors = vec![here, split.address];
    for (role, door) in &stack.doors {
        doors.push(stop.serve_as(*role, door.clone(), stack.shared.clone()));
    }
    let (right, wrong) = (bearer(TOKEN), bearer("a-token-for-nothing"));
    let (right, wrong) = ((right.0, right.1.as_str()), (wrong.0, wrong.1.as_str()));
    let (host, origin) = (("Host", "evil.example"), ("Origin", "http://evil.example"));
    let paths = paths(&stack.gateway()).await;
    for (number, address) in doors.into_iter().enumerate() {
        let mut caller = Caller::of(address);
        // A role's own door knows no /v1.
        let strip = |path: &str| if number < 2 { path.to_owned() } else { path.replacen("/v1/", "/", 1) };
        for path in paths.iter().map(|path| strip(path)) {
            for method in METHODS {
                let (status, head) = caller.ask(method, &path, &[]).await;
                assert_eq!(status, 401, "{method} {path}");
                assert!(head.contains("\r\nwww-authenticate: bearer realm=\"lakehouse\"\r\n"), "{head}");
                assert_eq!(caller.ask(method, &path, &[wrong]).await.0, 401, "{method} {path}");
                assert_eq!(caller.ask(method, &path, &[host, right]).await.0, 403, "{method} {path}");
                assert_eq!(caller.ask(method, &path, &[origin]).await.0, 403, "{method} {path}");
                assert!(![401, 403].contains(&caller.ask(method, &path, &[right]).await.0), "{method} {path}");
            }
        }
        for path in ["/health", "/livez", "/readyz"] {
            assert_eq!(caller.ask("GET", path, &[]).await.0, 200, "{path} asks for nothing");
        }
    }
}

#[tokio::test]
async fn a_reading_token_reads_and_changes_nothing() {
    let stack = guarded(&config()).await;
    let split = stack.split();
    let mut caller = Caller::of(split.address);
    let reader = bearer(READER);
    let reader = (reader.0, reader.1.as_str());
    for (method, path, status) in [
        ("GET", "/v1/catalog/list", 200),
        ("HEAD", "/v1/storage/list", 200),
        ("POST", "/v1/sql", 400),
        ("GET", "/metrics", 200),
        ("POST", "/v1/ingest?name=t", 403),
        ("POST", "/v1/catalog/register", 403),
        ("PUT", "/v1/storage/objects/k", 403),
        ("DELETE", "/v1/storage/objects/k", 403),
        ("POST", "/v1/nothing", 403),
    ] {
        assert_eq!(caller.ask(method, path, &[reader]).await.0, status, "{method} {path}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_listed_is_refused_whatever_it_claims() {
    let elsewhere = AuthConfig { allowed_ips: vec!["10.0.0.0/8".to_owned()], ..config() };
    let stack = guarded(&elsewhere).await;
    let stop = Stop::default();
    let mut caller = Caller::of(stop.serve_as(Role::Gateway, stack.gateway(), stack.shared.clone()));
    let right = bearer(TOKEN);
    let right = (right.0, right.1.as_str());
    let claim = ("X-Forwarded-For", "10.0.0.1");
    assert_eq!(caller.ask("GET", "/v1/catalog/list", &[right]).await.0, 403);
    assert_eq!(caller.ask("GET", "/v1/catalog/list", &[right, claim]).await.0, 403);
    assert_eq!(caller.ask("GET", "/health", &[]).await.0, 200);
    assert_eq!(
        crate::stack::get(&stack.gateway(), "/v1/catalog/list").await.status,
        200,
        "this process needs no leave"
    );
}
