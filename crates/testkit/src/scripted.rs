//! An HTTP server that answers as its script says, faults included.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a dripping answer pauses.
const PAUSE: Duration = Duration::from_millis(20);

/// A running server. Each connection carries one request. It ends with this.
pub struct Scripted {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What the server does about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A whole answer: status, further headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// An answer that promises more bytes than these and breaks off.
    CutOff(Vec<u8>),
    /// An answer that begins with these bytes, promises more and says nothing further until the other side gives up.
    Stalls(Vec<u8>),
    /// These bytes again and again, until the other side gives up or the stated length is reached; without one there is
    /// no end.
    Flood(Option<u64>, Vec<u8>),
    /// These bytes again and again, a moment after each other, until the other side gives up: never silent, never over.
    Drips(Vec<u8>),
    /// Nothing, until the other side gives up.
    Silence,
    /// The connection is closed without a word.
    HangUp,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: &str) -> Self {
        Self::Answer(status, vec![("content-type", "application/json".to_owned())], body.as_bytes().to_vec())
    }
}

impl Asked {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Scripted {
    /// Starts a server on a free port of this machine. The script may block: each request has a thread of its own.
    pub fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let server = Self { address, asked: Arc::clone(&asked), stop: Arc::clone(&stop) };
        let script = Arc::new(script);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
                // A client that goes away breaks its own connection only.
                std::thread::spawn(move || serve(&connection, &*script, &asked).ok());
            }
        });
        server
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection; it may have ended already.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    mut connection: &TcpStream,
    script: &impl Fn(&Asked) -> Reply,
    asked: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let request = read(connection)?;
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    match script(&request) {
        Reply::Answer(status, headers, body) => {
            connection.write_all(head(status, &headers, Some(body.len() as u64)).as_bytes())?;
            connection.write_all(&body)
        }
        Reply::CutOff(body) => {
            connection.write_all(head(200, &[], Some(body.len() as u64 + 1)).as_bytes())?;
            connection.write_all(&body)
        }
        Reply::Stalls(body) => {
            connection.write_all(head(200, &[], Some(body.len() as u64 + 1)).as_bytes())?;
            connection.write_all(&body)?;
            connection.read_to_end(&mut Vec::new()).map(drop)
        }
        Reply::Flood(length, piece) => {
            connection.write_all(head(200, &[], length).as_bytes())?;
            flood(connection, length.unwrap_or(u64::MAX), &piece)
        }
        Reply::Drips(piece) => {
            connection.write_all(head(200, &[], None).as_bytes())?;
            drip(connection, &piece)
        }
        Reply::Silence => connection.read_to_end(&mut Vec::new()).map(drop),
        Reply::HangUp => Ok(()),
    }
}

/// Without a length the answer lasts as long as its connection.
fn head(status: u16, headers: &[(&str, String)], length: Option<u64>) -> String {
    let further: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = length.map(|length| format!("content-length: {length}\r\n")).unwrap_or_default();
    format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\n{length}{further}\r\n")
}

fn flood(mut connection: &TcpStream, mut length: u64, piece: &[u8]) -> std::io::Result<()> {
    while length > 0 {
        let part = &piece[..piece.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
        connection.write_all(part)?;
        length -= part.len() as u64;
    }
    Ok(())
}

fn drip(mut connection: &TcpStream, piece: &[u8]) -> std::io::Result<()> {
    // Waiting for a word of the other side, which says none, is the pause.
    connection.set_read_timeout(Some(PAUSE))?;
    loop {
        connection.write_all(piece)?;
        if connection.read(&mut [0]).is_ok_and(|read| read == 0) {
            return Ok(());
        }
    }
}

fn read(connection: &TcpStream) -> std::io::Result<Asked> {
    let mut reader = BufReader::new(connection);
    let mut lines = reader.by_ref().lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    Ok(Asked { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
