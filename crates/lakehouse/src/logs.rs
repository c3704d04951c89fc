//! Logs: JSON lines on standard error, or text for people when that is a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How much a command logs when `RUST_LOG` says nothing.
#[derive(Debug, Clone, Copy)]
pub enum Loudness {
    /// A server: one line per request.
    Server,
    /// A command for a person: only what went wrong.
    Command,
}

/// Starts logging; a second call changes nothing.
pub fn start(loudness: Loudness) {
    let default = match loudness {
        Loudness::Server => "info",
        Loudness::Command => "error",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error here means that logging was started before, which is what was asked for.
    let _ = if std::io::stderr().is_terminal() {
        lines.compact().with_target(false).try_init()
    } else {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
}
