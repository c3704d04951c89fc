use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[test]
fn a_directory_that_others_may_use_is_not_taken() {
    let ground = tempfile::tempdir().expect("a directory");
    let at = |name: &str| ground.path().join(name);
    let user = rustix::process::geteuid().as_raw();
    let made = own(at("new"), user).expect("made");
    assert_eq!(std::fs::metadata(&made).expect("it is there").permissions().mode() & 0o777, 0o700);
    assert!(own(at("new"), user).is_ok(), "a second time");
    assert!(own(at("new"), user + 1).is_err(), "somebody else's");
    std::fs::DirBuilder::new().mode(0o755).create(at("open")).expect("made");
    symlink(at("new"), at("link")).expect("made");
    for name in ["open", "link", "none/inner"] {
        assert!(own(at(name), user).expect_err("refused").contains("no home directory"), "{name}");
    }
}
