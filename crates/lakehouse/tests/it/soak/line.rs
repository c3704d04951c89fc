//! One kept connection, with as little between the test and the bytes as can be: it shares the machine with the server.

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection on which one request follows another.
pub struct Line {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Line {
    /// Connects to `host:port`.
    pub async fn to(authority: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Sends a whole request; the body of the answer, which must be 200.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let body = loop {
            self.more().await?;
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = std::str::from_utf8(&self.read[..body])?;
        ensure!(head.starts_with("HTTP/1.1 200 "), "the answer is {}", String::from_utf8_lossy(&self.read));
        let whole = body + length(head).with_context(|| format!("an answer without a length: {head}"))?;
        while self.read.len() < whole {
            self.more().await?;
        }
        ensure!(self.read.len() == whole, "bytes after the answer");
        Ok(&self.read[body..])
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read_buf(&mut self.read).await?;
        ensure!(count > 0, "the connection is closed after {} bytes of an answer", self.read.len());
        Ok(())
    }
}

/// What `Content-Length` states.
fn length(head: &str) -> Option<usize> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next()?.1.trim().parse().ok()
}
