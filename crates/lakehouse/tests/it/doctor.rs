//! `lakehouse doctor`: exit 0 where all is well; else what is wrong, why it matters and what mends it.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use smokes::stack::{Ground, Site};
use tempfile::TempDir;

use crate::command::{BINARY, Desk, Ran};

const CHECKS: [&str; 13] = [
    "config",
    "secrets",
    "toolchain",
    "disk",
    "fsync",
    "lake",
    "conditional_put",
    "clock",
    "roster",
    "packs",
    "model",
    "ollama",
    "ports",
];
/// The user that owns nothing.
const NOBODY: u32 = 65_534;
const ROLES: [&str; 9] =
    ["gateway", "storaged", "catalogd", "ingestd", "queryd", "vectord", "embedd", "chatd", "validatord"];

/// The doctor, on ports that are free whatever else runs here.
fn doctor(desk: &Desk, more: &[&str]) -> anyhow::Result<Ran> {
    let ports: Vec<String> = ROLES.iter().map(|role| format!("--set={role}.bind=127.0.0.1:0")).collect();
    let ports = ports.iter().map(String::as_str);
    desk.run(&["doctor"].into_iter().chain(ports).chain(more.iter().copied()).collect::<Vec<_>>())
}

fn check<'a>(report: &'a Value, name: &str) -> anyhow::Result<&'a Value> {
    let checks = report["checks"].as_array().context("no checks")?;
    checks.iter().find(|check| check["name"] == name).with_context(|| format!("no check {name}: {report}"))
}

/// A lake on a disk; the machine's temporary directory may lie in memory.
fn lake_on_disk() -> anyhow::Result<TempDir> {
    Ok(TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?)
}

#[test]
fn where_all_is_well_it_ends_with_0() -> anyhow::Result<()> {
    let Some(desk) = Desk::with_model("doctor::where_all_is_well_it_ends_with_0")? else { return Ok(()) };
    let ground = lake_on_disk()?;
    let lake = ground.path().join("lake").display().to_string();
    desk.write("workers.csv", "worker_id,name,status\n1,Ann,active\n2,Bob,active\n")?;
    desk.run(&["ingest", "workers", "workers.csv", "--lake", &lake])?.ended(0)?;
    let report = doctor(&desk, &["--lake", &lake, "--json"])?.ended(0)?.json()?;
    ensure!(report["ok"] == true, "{report}");
    let names: Vec<&str> =
        report["checks"].as_array().context("checks")?.iter().filter_map(|c| c["name"].as_str()).collect();
    ensure!(names == CHECKS, "{names:?}");
    for name in
        ["config", "secrets", "disk", "fsync", "lake", "conditional_put", "clock", "roster", "packs", "model", "ports"]
    {
        ensure!(check(&report, name)?["status"] == "ok" && check(&report, name)?["fix"].is_null(), "{report}");
    }
    ensure!(check(&report, "roster")?["detail"].as_str().is_some_and(|told| told.contains("2 workers")), "{report}");
    let told = doctor(&desk, &["--lake", &lake])?.ended(0)?.out;
    ensure!(told.trim_end().ends_with("all is well"), "{told}");
    let rows = doctor(&desk, &["--lake", &lake, "-o", "csv"])?.ended(0)?.out;
    ensure!(rows.starts_with("name,status,detail,why,fix\nconfig,ok,"), "{rows}");
    Ok(())
}

#[test]
fn what_is_wrong_ends_it_with_1_and_is_told_with_what_mends_it() -> anyhow::Result<()> {
    let desk = Desk::new()?.with("LAKEHOUSE__MODELS__DOWNLOAD", "false");
    let ground = lake_on_disk()?;
    let lake = ground.path().join("lake").display().to_string();
    desk.write("workers.csv", "number,wage\n1,20\n")?;
    desk.run(&["ingest", "workers", "workers.csv", "--lake", &lake])?.ended(0)?;
    desk.write("gone.csv", "n\n1\n")?;
    desk.run(&["ingest", "gone", "gone.csv", "--lake", &lake])?.ended(0)?;
    let assertion = json!({ "sql": "SELECT 1 FROM gone", "error": "Policy", "reason": "no" });
    desk.write("orphan.json", json!({ "name": "orphan", "kind": "playbook", "assertions": [assertion] }).to_string())?;
    desk.run(&["packs", "put", "orphan.json", "--lake", &lake])?.ended(0)?;
    desk.run(&["catalog", "drop", "gone", "--lake", &lake])?.ended(0)?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = format!("--set=queryd.bind={}", taken.local_addr()?);
    let ollama = "--set=embedd.provider_url=http://127.0.0.1:9";
    let ran = doctor(&desk, &["--lake", &lake, &port, ollama, "--json"])?.ended(1)?;
    let report = ran.json()?;
    ensure!(report["ok"] == false, "{report}");
    for (name, fix) in [
        ("roster", "lakehouse ingest workers workers.csv"),
        ("packs", "lakehouse packs drop orphan"),
        ("model", "models.model_dir=./model"),
        ("ollama", "ollama serve"),
        ("ports", "lakehouse serve --set queryd.bind=127.0.0.1:0"),
    ] {
        let found = check(&report, name)?;
        ensure!(found["status"] == "failed" && found["why"].is_string(), "{found}");
        ensure!(found["fix"].as_str().is_some_and(|told| told.contains(fix)), "{found}");
    }
    let told = doctor(&desk, &["--lake", &lake, &port, ollama])?.ended(1)?.out;
    ensure!(told.contains("why: ") && told.contains("mend: ") && told.contains("5 of 13 checks failed"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_port_that_its_own_role_holds_is_well() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[]).await?;
    let address = stack.gateway()?.trim_start_matches("http://").to_owned();
    let held = |role: &str| -> anyhow::Result<Value> {
        let report = doctor(&desk, &[&format!("--set={role}.bind={address}"), "--json"])?.json()?;
        check(&report, "ports").cloned()
    };
    let own = held("gateway")?;
    ensure!(own["status"] == "ok" && own["detail"] == "8 are free; gateway runs already", "{own}");
    ensure!(held("queryd")?["status"] == "failed");
    stack.stop().await
}

/// Runs a program as somebody who owns nothing here, where whoever tests may do that.
fn as_nobody(ground: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").env("XDG_CACHE_HOME", ground);
    command.env("LAKEHOUSE_SECRETS", ground.join("secrets")).env("LAKEHOUSE__MODELS__DOWNLOAD", "false");
    command.uid(NOBODY).gid(NOBODY);
    command
}

/// What the doctor says of a lake when nobody in particular asks.
fn told_to_nobody(ground: &Path, lake: &str) -> anyhow::Result<Value> {
    let ports = ROLES.iter().map(|role| format!("--set={role}.bind=127.0.0.1:0"));
    let ran = as_nobody(ground, BINARY).args(["doctor", "--json", "--lake", lake]).args(ports).output()?;
    let report: Value = serde_json::from_slice(&ran.stdout).with_context(|| format!("{ran:?}"))?;
    check(&report, "lake").cloned()
}

#[test]
fn what_others_own_is_mended_by_the_very_command_and_nothing_above_it_changes_hands() -> anyhow::Result<()> {
    const TEST: &str = "doctor::what_others_own_is_mended_by_the_very_command_and_nothing_above_it_changes_hands";
    let (desk, ground) = (Desk::new()?, lake_on_disk()?);
    std::fs::set_permissions(ground.path(), Permissions::from_mode(0o755))?;
    if !as_nobody(ground.path(), BINARY).arg("--version").output().is_ok_and(|ran| ran.status.success()) {
        testkit::skip(TEST, "nobody else can be played here");
        return Ok(());
    }
    let secrets = ground.path().join("secrets");
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&secrets)?;
    chown(&secrets, Some(NOBODY), Some(NOBODY))?;
    let above = ground.path().join("of others");
    std::fs::create_dir(&above)?;
    std::fs::set_permissions(&above, Permissions::from_mode(0o555))?;
    let lake = above.join("deep/lake").display().to_string();
    let mend = |found: &Value, begins: &str| -> anyhow::Result<()> {
        let fix = found["fix"].as_str().with_context(|| format!("{found}"))?;
        ensure!(found["status"] == "failed" && fix == format!("{begins} '{lake}'"), "{found}");
        let lines = format!("sudo() {{ \"$@\"; }}; id() {{ echo {NOBODY}; }}; {fix}");
        let ran = Command::new("sh").args(["-c", &lines]).current_dir("/").output()?;
        ensure!(ran.status.success(), "{fix}: {ran:?}");
        let after = told_to_nobody(ground.path(), &lake)?;
        ensure!(after["status"] == "ok", "{after}");
        Ok(())
    };
    mend(&told_to_nobody(ground.path(), &lake)?, "sudo install -d -o \"$(id -un)\"")?;
    std::fs::remove_dir(&lake)?;
    std::fs::create_dir(&lake)?;
    mend(&told_to_nobody(ground.path(), &lake)?, "sudo chown \"$(id -un)\"")?;
    std::fs::remove_dir(&lake)?;
    desk.write("workers.csv", "worker_id,name\n1,Ann\n")?;
    desk.run(&["ingest", "workers", "workers.csv", "--lake", &lake])?.ended(0)?;
    mend(&told_to_nobody(ground.path(), &lake)?, "sudo chown -R \"$(id -un)\"")?;
    ensure!(std::fs::metadata(&above)?.uid() != NOBODY, "what is above the lake stays whose it was");
    Ok(())
}

#[test]
fn wrong_settings_and_open_secrets_are_found_before_anything_else() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let secrets = desk.path().join(".secrets");
    std::fs::set_permissions(&secrets, Permissions::from_mode(0o644))?;
    let report = doctor(&desk, &["--set", "queryd.timeuot=3s", "--json"])?.ended(1)?.json()?;
    let config = check(&report, "config")?;
    ensure!(config["status"] == "failed", "{config}");
    ensure!(config["detail"].as_str().is_some_and(|told| told.contains("did you mean queryd.timeout?")), "{config}");
    let found = check(&report, "secrets")?;
    ensure!(found["fix"] == format!("chmod o= {}", secrets.display()), "{found}");
    ensure!(check(&report, "lake")?["status"] == "skipped", "{report}");
    ensure!(!desk.path().join("lake").exists(), "looking makes no lake");
    Ok(())
}
