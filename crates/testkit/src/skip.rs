//! Tests that cannot run here say so aloud, so that nobody takes them for passed.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Says that `test` did not run and why: on stderr, and in `skipped-tests.txt` of the target directory, which the
/// verify command reads out.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see it")]
pub fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED: {test}: {why}");
    let mut list = OpenOptions::new().create(true).append(true).open(target().join("skipped-tests.txt"));
    let line = format!("{test}: {}\n", why.replace('\n', " "));
    list.as_mut().expect("the list of skipped tests").write_all(line.as_bytes()).expect("a line in it");
}

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[expect(clippy::disallowed_methods, reason = "tests may be told where the target directory is")]
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}
