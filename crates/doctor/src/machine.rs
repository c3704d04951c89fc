//! The machine: its compiler, its disks, how durable a write is, its clock.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::{ByteSize, Timestamp};
use bytes::Bytes;
use rustix::fs::{statfs, statvfs};
use storage::{Durability, Location, Store};
use tokio::process::Command;

use crate::finding::{Finding, chain};
use crate::mend::at;
use crate::subject::Subject;

/// The oldest compiler that builds this program.
const LEAST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");
/// How long a compiler may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);
/// Free space below which loads and merges soon fail.
const LEAST_ROOM: u64 = 1 << 30;
/// How many writes are timed.
const WRITES: usize = 9;
/// What each of them holds, in bytes.
const WRITTEN: usize = 4096;
/// The names that Linux gives to file systems that live in memory: tmpfs and ramfs.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
/// How far a clock may be from that of the store.
const DRIFT: Duration = Duration::from_secs(30);
/// 2025-01-01: a clock that shows less was never set.
const RECENT: Timestamp = Timestamp::from_micros(1_735_689_600_000_000);

/// Whether the compiler of this machine, if there is one, can build this program.
pub async fn toolchain() -> Finding {
    const NAME: &str = "toolchain";
    let asked = Command::new("rustc").arg("--version").kill_on_drop(true).output();
    let told = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(told)) if told.status.success() => String::from_utf8_lossy(&told.stdout).trim().to_owned(),
        _ => return Finding::skipped(NAME, "no Rust here: this program runs without, only building it needs some"),
    };
    let version = told.split_whitespace().nth(1).unwrap_or_default();
    if numbers(version) >= numbers(LEAST_RUST) {
        return Finding::ok(NAME, told);
    }
    let detail = format!("{told} is older than {LEAST_RUST}");
    Finding::failed(NAME, detail, "this program cannot be built with it").mended_by("rustup update stable".to_owned())
}

fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|part| part.parse().ok()).take(2).collect()
}

/// Whether the disks of the lake and of derived files have room.
pub fn disk(subject: &Subject) -> Finding {
    const NAME: &str = "disk";
    let lake = match &subject.lake {
        Location::Directory(path) => Some(path),
        _ => None,
    };
    let places: Vec<PathBuf> = lake.into_iter().chain([&subject.cache]).map(|path| ground(path)).collect();
    let mut told = Vec::new();
    for place in &places {
        let free = match statvfs(place) {
            Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
            Err(error) => return full(subject, &format!("the disk of {} cannot be asked: {error}", place.display())),
        };
        if free < LEAST_ROOM {
            return full(subject, &format!("only {} are free at {}", ByteSize(free), place.display()));
        }
        told.push(format!("{} GiB free at {}", free >> 30, place.display()));
    }
    told.dedup();
    Finding::ok(NAME, told.join(", "))
}

fn full(subject: &Subject, detail: &str) -> Finding {
    let why = "a load, a merge of files or a large query needs room, and fails without";
    let [expire, sweep] = ["expire --older-than 30d --yes", "sweep --yes"].map(|command| at(&subject.lake, command));
    Finding::failed("disk", detail, why).mended_by(format!("{expire} && {sweep}"))
}

/// The directory, or the nearest one above it that is there.
pub(crate) fn ground(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// Whether an acknowledged write to the lake outlives a loss of power, and how long one takes. `directory` is where the
/// store lies, if it is one.
pub async fn fsync(store: &Store, directory: Option<&Path>, durability: Durability) -> Finding {
    const NAME: &str = "fsync";
    let Some(directory) = directory else {
        return Finding::skipped(NAME, "the store is no directory: how durable a write is, is its server's affair");
    };
    if durability == Durability::Process {
        return Finding::ok(NAME, "nothing is synced, as storaged.durability = \"process\" says");
    }
    if let Some(kind) = in_memory(directory) {
        let detail = format!("{} lies in memory ({kind})", directory.display());
        let why =
            "everything in it is gone when this machine stops, whatever was acknowledged: a lake belongs on a disk";
        return Finding::failed(NAME, detail, why);
    }
    match timed(store).await {
        Ok(median) => Finding::ok(NAME, format!("a synced write takes {:.1} ms", median.as_secs_f64() * 1000.0)),
        Err(error) if error.refuses_writes() => Finding::skipped(NAME, error.to_string()),
        Err(error) => {
            let why = "nothing can be acknowledged that is not on the disk; `dmesg` tells what the disk said";
            Finding::failed(NAME, chain(&error), why)
        }
    }
}

fn in_memory(directory: &Path) -> Option<&'static str> {
    let kind = u64::try_from(statfs(directory).ok()?.f_type).ok()? & 0xffff_ffff;
    let at = IN_MEMORY.iter().position(|known| *known == kind)?;
    Some(["tmpfs", "ramfs"][at])
}

/// A name of this process's own, for what is removed at once.
fn mark() -> String {
    format!("_lake/probe/doctor-{}", std::process::id())
}

/// How long the middle one of a few durable writes takes.
async fn timed(store: &Store) -> storage::Result<Duration> {
    let (mark, mut spans) = (mark(), Vec::new());
    for _ in 0..WRITES {
        let begun = Instant::now();
        store.put(&mark, Bytes::from(vec![b'.'; WRITTEN])).await?;
        spans.push(begun.elapsed());
    }
    store.delete(&mark).await?;
    spans.sort_unstable();
    Ok(spans[WRITES / 2])
}

/// Whether this machine's clock is set, and near to that of the store.
pub async fn clock(store: &Store, now: impl Fn() -> Timestamp) -> Finding {
    const NAME: &str = "clock";
    let wrong = |detail: String| {
        let why =
            "versions state when they were made, queries ask as of a time, and S3 refuses requests of another day";
        Finding::failed(NAME, detail, why).mended_by("sudo timedatectl set-ntp true".to_owned())
    };
    if now() < RECENT {
        return wrong(format!("it shows {}, and was never set", now()));
    }
    let mark = mark();
    let stamped = async {
        store.put(&mark, Bytes::new()).await?;
        let entry = store.head(&mark).await;
        store.delete(&mark).await?;
        entry
    };
    let stored = match stamped.await {
        Ok(entry) => entry.modified,
        Err(error) if error.refuses_writes() => return Finding::skipped(NAME, error.to_string()),
        Err(error) => {
            return Finding::skipped(NAME, format!("the store does not say what time it is: {}", chain(&error)));
        }
    };
    let apart = Duration::from_micros(now().micros().abs_diff(stored.micros()));
    if apart > DRIFT {
        return wrong(format!("it shows {}, and the store's {stored}", now()));
    }
    Finding::ok(NAME, format!("{}, and the store agrees", now()))
}
