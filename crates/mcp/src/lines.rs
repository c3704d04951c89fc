//! Messages over a pair of streams, one a line. Whatever is asked gets an answer, also what is no message.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ErrorData};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;

#[cfg(test)]
mod tests;

/// The longest line that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// The agent's end of two streams. Every call of it may be dropped and made again: nothing is lost or said twice.
pub struct Lines<R, W> {
    input: BufReader<R>,
    line: Vec<u8>,
    /// The rest of a line that is too long is passed over.
    skipping: bool,
    /// What is to be said before anything more is read.
    owed: Option<Value>,
    /// Whether some of what was owed may still be unsent.
    behind: bool,
    output: Arc<Mutex<Output<W>>>,
}

struct Output<W> {
    stream: W,
    unsent: Vec<u8>,
}

/// What was read.
enum Read {
    Line,
    TooLong,
    End,
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin> Lines<R, W> {
    /// Nothing is read or written before somebody serves.
    pub fn new(input: R, output: W) -> Self {
        let output = Output { stream: output, unsent: Vec::new() };
        let (input, output) = (BufReader::new(input), Arc::new(Mutex::new(output)));
        Self { input, line: Vec::new(), skipping: false, owed: None, behind: false, output }
    }

    /// The next line, or what stands behind the last one.
    async fn read(&mut self) -> io::Result<Read> {
        loop {
            let found = self.input.fill_buf().await?;
            let end = found.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(found.len(), |at| at + 1);
            let (is_last, is_whole) = (found.is_empty(), end.is_some());
            if !self.skipping {
                self.line.extend_from_slice(&found[..taken]);
            }
            self.input.consume(taken);
            let was_skipping = self.skipping;
            if self.line.len() > LONGEST {
                self.line.clear();
                self.skipping = !is_whole;
                return Ok(Read::TooLong);
            }
            self.skipping &= !is_whole;
            match (is_last, is_whole) {
                (true, _) if self.line.is_empty() => return Ok(Read::End),
                (true, _) => return Ok(Read::Line),
                (false, true) if !was_skipping => return Ok(Read::Line),
                _ => {}
            }
        }
    }

    /// Says what is owed.
    async fn settle(&mut self) -> io::Result<()> {
        self.behind |= self.owed.is_some();
        if self.behind {
            let mut output = self.output.lock().await;
            if let Some(owed) = self.owed.take() {
                output.add(&owed);
            }
            output.send().await?;
            self.behind = false;
        }
        Ok(())
    }
}

impl<W: AsyncWrite + Unpin> Output<W> {
    fn add(&mut self, message: &Value) {
        self.unsent.extend_from_slice(format!("{message}\n").as_bytes());
    }

    async fn send(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            let sent = self.stream.write(&self.unsent).await?;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.unsent.drain(..sent);
        }
        self.stream.flush().await
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn name() -> Cow<'static, str> {
        "lines".into()
    }

    fn send(&mut self, message: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let output = Arc::clone(&self.output);
        async move {
            let message = serde_json::to_value(message)?;
            let mut output = output.lock().await;
            output.add(&message);
            output.send().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            self.settle().await.ok()?;
            match self.read().await.ok()? {
                Read::End => return None,
                Read::TooLong => {
                    let why = format!("a message may have {} MiB", LONGEST >> 20);
                    self.owed = Some(refusal(ErrorData::invalid_request(why, None), Value::Null));
                }
                Read::Line => {
                    let taken = message(&self.line);
                    self.line.clear();
                    match taken {
                        Ok(None) => {}
                        Ok(Some(message)) => return Some(*message),
                        Err(refusal) => self.owed = Some(refusal),
                    }
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.lock().await.stream.shutdown().await
    }
}

/// The message on a line; none on an empty line and in a notification that nobody here knows. Else what to answer.
fn message(line: &[u8]) -> Result<Option<Box<ClientJsonRpcMessage>>, Value> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    if let Ok(message) = serde_json::from_slice(line) {
        return Ok(Some(Box::new(message)));
    }
    let said: Value = serde_json::from_slice(line)
        .map_err(|why| refusal(ErrorData::parse_error(format!("that is no JSON: {why}"), None), Value::Null))?;
    match (said.get("method"), said.get("id")) {
        (Some(Value::String(_)), None) => Ok(None),
        (_, id) => {
            let id = id.filter(|id| id.is_string() || id.is_i64() || id.is_u64()).cloned().unwrap_or_default();
            Err(refusal(ErrorData::invalid_request("that is no message of JSON-RPC 2.0", None), id))
        }
    }
}

/// An error as JSON-RPC tells it, also where nobody knows to what.
pub(crate) fn refusal(error: ErrorData, id: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}
