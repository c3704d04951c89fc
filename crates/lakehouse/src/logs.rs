//! Logs: JSON lines on standard error, or text for people when that is a terminal.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::{self, PanicHookInfo};

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
    panic::set_hook(Box::new(panicked));
    // An error here means that logging was started before, which is what was asked for.
    let _ = if std::io::stderr().is_terminal() {
        lines.compact().with_target(false).try_init()
    } else {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
}

/// Logs a panic in one line, like everything else. Most are caught, such as those of a decoder on bytes that no writer
/// wrote, and whoever may upload must not fill the log.
fn panicked(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    let (why, trace) = (panic.payload_as_str().unwrap_or("it did not say why"), Backtrace::capture());
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(why, at, trace, "a part of the program panicked");
}
