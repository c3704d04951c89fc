//! Tests that cannot run here say so aloud, so that nobody takes them for passed.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// With `1` in this variable, a test that cannot run fails.
const REQUIRE: &str = "LAKEHOUSE_REQUIRE_PARTS";

/// Says that `test` did not run and why: on stderr, and in `skipped-tests.txt` of the target directory, which the
/// verify command reads out. Fails where every part is required.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see it")]
pub fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED: {test}: {why}");
    let mut list = OpenOptions::new().create(true).append(true).open(target().join("skipped-tests.txt"));
    let line = format!("{test}: {}\n", why.replace('\n', " "));
    list.as_mut().expect("the list of skipped tests").write_all(line.as_bytes()).expect("a line in it");
    assert!(variable(REQUIRE).is_none_or(|value| value != "1"), "{REQUIRE} is set, and {test} cannot run: {why}");
}

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn target() -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "tests may be told where the target directory is, and what they need")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
