//! Disks that take no writes: what is in the lake is read, backed up, and makes room for itself.

use std::process::Command;

use anyhow::ensure;

use crate::command::{BINARY, Desk};

/// Runs a script of the shell in a desk, with a small file system of its own mounted at `disk`; false where this machine
/// lets nobody mount one, which is told aloud.
fn on_a_small_disk(test: &str, script: &str) -> anyhow::Result<bool> {
    let desk = Desk::new()?;
    let rows: String = (0..200).map(|id| format!("{id},name {id}\n")).collect();
    desk.write("workers.csv", format!("worker_id,name\n{rows}"))?;
    let lines = format!(
        "set -eu; L={BINARY}; mkdir disk; mount -t tmpfs -o size=8m tmpfs disk || exit 77\n\
         for turn in 1 2 3; do $L ingest workers workers.csv --mode append --lake disk/lake >/dev/null; done\n\
         echo '{{\"a\":1}}' | $L evidence import seen --lake disk/lake >/dev/null\n\
         count() {{ test \"$($L sql --lake disk/lake 'SELECT count(*) FROM workers' --format csv | tail -1)\" = 600; }}\n\
         reads() {{ count; test \"$($L evidence tail seen --lake disk/lake)\" = '{{\"a\":1}}'; \
         $L catalog list --lake disk/lake >/dev/null; $L backup $1 --lake disk/lake >/dev/null; }}\n{script}"
    );
    let mut command: Command = desk.command("unshare".as_ref());
    let Ok(ran) = command.args(["-rm", "sh", "-c", &lines]).output() else {
        testkit::skip(test, "no `unshare` here");
        return Ok(false);
    };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    if ran.status.code() == Some(77) || err.starts_with("unshare:") {
        testkit::skip(test, "nobody may mount a file system here");
        return Ok(false);
    }
    ensure!(ran.status.success(), "{}: {out}{err}", ran.status);
    Ok(true)
}

#[test]
fn a_full_disk_is_read_and_gets_room_again() -> anyhow::Result<()> {
    on_a_small_disk(
        "disks::a_full_disk_is_read_and_gets_room_again",
        "stray=$(dirname $(find disk/lake/tables -name '*.parquet' | head -1))/stray.parquet\n\
         head -c 100000 /dev/zero > $stray; touch -d '2 days ago' $stray\n\
         dd if=/dev/zero of=disk/fill bs=1k count=99999 2>/dev/null || true\n\
         reads elsewhere\n\
         said=$($L ingest more workers.csv --lake disk/lake 2>&1) && exit 3 || test $? = 3\n\
         case $said in *'the store is full'*storage.full*) ;; *) echo \"$said\"; exit 4;; esac\n\
         $L expire --keep-last 1 --yes --lake disk/lake >/dev/null\n\
         $L sweep --yes --lake disk/lake >/dev/null\n\
         test ! -e $stray\n\
         $L ingest more workers.csv --lake disk/lake >/dev/null; count",
    )
    .map(drop)
}

#[test]
fn a_read_only_disk_is_read() -> anyhow::Result<()> {
    on_a_small_disk(
        "disks::a_read_only_disk_is_read",
        "mount -o remount,ro disk; reads elsewhere\n\
         said=$($L ingest more workers.csv --lake disk/lake 2>&1) && exit 3 || test $? = 3\n\
         case $said in *'the store is read-only'*storage.read_only*) ;; *) echo \"$said\"; exit 4;; esac\n\
         sudo() { \"$@\"; }; eval \"$($L doctor --lake disk/lake | sed -n 's/.*mend: \\(.*remount\\)/\\1/p')\"\n\
         $L ingest more workers.csv --lake disk/lake >/dev/null; count",
    )
    .map(drop)
}
