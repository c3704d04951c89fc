//! Files named by requests: below the allowed directories, and nowhere else.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use base::{Fault, Kind};
use futures::TryStreamExt;
use storage::rooted;

async fn read(roots: &[PathBuf], path: &Path) -> Result<Vec<u8>, storage::Error> {
    let found = rooted::open(roots, path.to_str().expect("a path of text")).await?;
    let pieces: Vec<_> = found.stream.try_collect().await?;
    let bytes = pieces.concat();
    assert_eq!(bytes.len() as u64, found.size);
    Ok(bytes)
}

async fn refusal(roots: &[PathBuf], path: &Path) -> (&'static str, Kind) {
    let error = read(roots, path).await.expect_err("a refusal");
    (error.code(), error.kind())
}

const DENIED: (&str, Kind) = ("storage.path_denied", Kind::Denied);
const ABSENT: (&str, Kind) = ("storage.not_found", Kind::NotFound);

#[tokio::test]
async fn files_below_a_root_are_read_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let (inside, outside) = (home.path().join("in"), home.path().join("out"));
    fs::create_dir_all(inside.join("deep")).unwrap();
    fs::create_dir_all(&outside).unwrap();
    let large = vec![7_u8; (3 << 20) + 5];
    fs::write(inside.join("deep/a.csv"), &large).unwrap();
    fs::write(outside.join("secret"), "s").unwrap();
    symlink(inside.join("deep"), inside.join("here")).unwrap();
    symlink(&outside, inside.join("away")).unwrap();
    symlink(outside.join("secret"), inside.join("leak")).unwrap();
    symlink(&inside, home.path().join("alias")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, inside.join("pipe"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();

    let roots = [inside.clone()];
    assert_eq!(read(&roots, &inside.join("deep/a.csv")).await.unwrap(), large);
    assert_eq!(read(&roots, &inside.join("here/a.csv")).await.unwrap(), large, "a link that stays inside");
    assert_eq!(
        read(&[home.path().join("alias")], &inside.join("deep/a.csv")).await.unwrap(),
        large,
        "a root is a link"
    );

    symlink(outside.join("gone"), inside.join("dangling")).unwrap();
    let long = "x".repeat(300);
    for absent in ["absent.csv", "absent/a.csv", "deep/a.csv/", "deep/a.csv/b", "here/absent", &long] {
        assert_eq!(refusal(&roots, &inside.join(absent)).await, ABSENT, "{absent}");
    }
    let refused = [
        outside.join("secret"),
        outside.join("absent"),
        inside.join("../out/secret"),
        inside.join("away/secret"),
        inside.join("away/absent"),
        inside.join("away/absent/deeper"),
        inside.join("dangling"),
        inside.join("dangling/deeper"),
        outside.join(&long),
        inside.join("leak"),
        inside.join("pipe"),
        inside.join("deep"),
        inside.clone(),
        PathBuf::from("deep/a.csv"),
        PathBuf::from("/dev/zero"),
        PathBuf::from("/proc/self/environ"),
        PathBuf::from(""),
        home.path().join("inside"),
    ];
    for path in refused {
        assert_eq!(refusal(&roots, &path).await, DENIED, "{}", path.display());
    }
    assert_eq!(refusal(&[], &inside.join("deep/a.csv")).await, DENIED, "nothing is allowed unless somebody says so");
}

#[tokio::test]
async fn a_refusal_tells_nothing_about_what_is_there() {
    let home = tempfile::tempdir().unwrap();
    let roots = [home.path().to_owned()];
    let tell = async |path: &str| read(&roots, Path::new(path)).await.unwrap_err().to_string();
    assert_eq!(tell("/etc/passwd").await, tell("/etc/no-such-file").await);
}
