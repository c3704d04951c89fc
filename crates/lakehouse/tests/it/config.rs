//! `config check` and `config show`.

use crate::command::Desk;

#[test]
fn every_fault_is_told_and_the_code_is_usage() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.write("lake.toml", "[queryd]\ntimeot = \"3s\"\nmemory_limit = \"much\"\n[nothing]\nx = 1\n")?;
    let told = desk.run(&["config", "check", "--config", "lake.toml"])?.ended(2)?.err;
    for part in ["queryd.timeot", "queryd.timeout", "queryd.memory_limit", "nothing.x"] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    desk.run(&["config", "check", "--config", "absent.toml"])?.ended(2)?;
    desk.run(&["config", "check"])?.ended(0)?;
    Ok(())
}

#[test]
fn values_are_shown_with_their_origin_and_secrets_hidden() -> anyhow::Result<()> {
    let desk = Desk::new()?.with("LAKEHOUSE__S3__SECRET_ACCESS_KEY", "s3cret");
    let ran = desk.run(&["config", "show", "--json", "--set", "queryd.timeout=7s"])?.ended(0)?;
    assert!(!ran.out.contains("s3cret"), "{}", ran.out);
    let shown = ran.json()?;
    assert_eq!(shown["queryd.timeout"]["origin"], "--set");
    assert_eq!(shown["queryd.timeout"]["value"], "\"7s\"");
    assert_eq!(shown["s3.secret_access_key"]["origin"], "$LAKEHOUSE__S3__SECRET_ACCESS_KEY");
    assert_eq!(shown["queryd.memory_limit"]["origin"], "default");
    Ok(())
}

#[test]
fn a_directory_that_cannot_be_made_ends_the_start_without_a_panic() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.write("file", "")?;
    let setting = format!("queryd.spill_dir={}", desk.path().join("file/below").display());
    let ran = desk.run(&["serve", "--lake", "lake", "--set", "gateway.bind=127.0.0.1:0", "--set", &setting])?;
    let told = ran.ended(1)?.err;
    assert!(told.contains("queryd.spill_dir") && !told.contains("panicked"), "{told}");
    Ok(())
}
