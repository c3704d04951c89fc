//! Programs of other makers that tests run against: installed by a script, started, and ended with the test.

use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use crate::skip::workspace;

/// A program that runs until this is dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts `command`; what it says can be taken from it.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let started = command.stdin(Stdio::null()).spawn();
        started.map(Self).map_err(|error| format!("{} does not start: {error}", command.get_program().display()))
    }

    /// What it prints; it must have been piped.
    pub(crate) fn stdout(&mut self) -> Result<ChildStdout, String> {
        self.0.stdout.take().ok_or_else(|| "the program has no stdout".to_owned())
    }

    /// What it complains; it must have been piped.
    pub(crate) fn stderr(&mut self) -> Result<ChildStderr, String> {
        self.0.stderr.take().ok_or_else(|| "the program has no stderr".to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a script of `scripts/parts`, which installs a part once; what it printed.
pub(crate) fn install(script: &str) -> Result<String, String> {
    output(&mut Command::new(workspace().join("scripts/parts").join(script)))
}

/// What the script prints of a part that is installed; nothing is fetched.
pub(crate) fn present(script: &str) -> Result<String, String> {
    output(Command::new(workspace().join("scripts/parts").join(script)).arg("present"))
}

/// What `command` printed, or what it complained when it failed.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
