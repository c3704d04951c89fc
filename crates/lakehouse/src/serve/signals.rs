//! SIGTERM and SIGINT.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What shells expect of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Waits for the first signal.
pub async fn told_to_stop() -> std::io::Result<()> {
    let (mut term, mut int) = both()?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

/// Ends the process at the next signal, whatever is under way.
pub async fn exit_on_next() {
    if told_to_stop().await.is_ok() {
        std::process::exit(INTERRUPTED);
    }
}

fn both() -> std::io::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
}
