//! The ports: free, or held by the very role that would listen there.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use client::Client;
use tokio::net::TcpListener;

use crate::finding::Finding;

const NAME: &str = "ports";
/// How long whoever holds a port may take to say who it is.
const GREETING: Duration = Duration::from_secs(2);

/// Whether each role could listen at its address, or already does.
pub async fn check(ports: &[(&'static str, SocketAddr)]) -> Finding {
    let (mut free, mut running) = (0, Vec::new());
    for (role, address) in ports {
        match TcpListener::bind(address).await {
            Ok(_) => free += 1,
            Err(error) if error.kind() == ErrorKind::AddrInUse && is_running(role, *address).await => {
                running.push(*role)
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return taken(role, &format!("another program listens at {address}, where {role} would"));
            }
            Err(error) => return taken(role, &format!("{role} cannot listen at {address}: {error}")),
        }
    }
    let told = if running.is_empty() { String::new() } else { format!("; {} runs already", running.join(" and ")) };
    Finding::ok(NAME, format!("{free} are free{told}"))
}

async fn is_running(role: &str, address: SocketAddr) -> bool {
    let Ok(client) = Client::remote(&format!("http://{address}")) else { return false };
    let health = tokio::time::timeout(GREETING, client.health()).await;
    health.is_ok_and(|health| health.is_ok_and(|health| health.service == role))
}

fn taken(role: &str, detail: &str) -> Finding {
    let why = "the server does not start";
    Finding::failed(NAME, detail, why).mended_by(format!("lakehouse serve --set {role}.bind=127.0.0.1:0"))
}
