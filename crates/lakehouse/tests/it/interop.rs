//! Other engines as witnesses: they read what was written here, what they write is read here, and the page about them
//! says how far that goes.

mod page;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::ensure;
use page::Testimony;
use smokes::stack::{Ground, Site};
use testkit::S3Server;
use tokio::process::Command;

use crate::command::BINARY;

#[tokio::test]
async fn other_engines_agree_with_us_as_the_page_says() -> anyhow::Result<()> {
    let Some(python) = testkit::witnesses("other_engines_agree_with_us_as_the_page_says") else { return Ok(()) };
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[]).await?;
    let gateway = stack.gateway()?;
    let pyiceberg = testimony(&python, "with_pyiceberg.py", gateway);
    let duckdb = testimony(&python, "with_duckdb.py", gateway);
    let (pyiceberg, duckdb) = tokio::try_join!(pyiceberg, duckdb)?;
    page::expect_current("engines", &[pyiceberg, duckdb])?;
    stack.stop().await
}

/// Sail is large, so it is a witness only where somebody has fetched it.
#[tokio::test]
async fn sail_agrees_with_us_as_the_page_says() -> anyhow::Result<()> {
    let Some(python) = testkit::sail("sail_agrees_with_us_as_the_page_says") else { return Ok(()) };
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[]).await?;
    let sail = testimony(&python, "with_sail.py", stack.gateway()?).await?;
    page::expect_current("sail", &[sail])?;
    stack.stop().await
}

/// PyIceberg shows a token, and is told why it may not do what it may not.
#[tokio::test]
async fn an_engine_does_what_its_token_may() -> anyhow::Result<()> {
    let Some(python) = testkit::witnesses("an_engine_does_what_its_token_may") else { return Ok(()) };
    let site = Site::new(&Ground::directory(BINARY))?;
    let tokens =
        [("reader", r#"["read"]"#), ("writer", r#"["read", "write"]"#), ("chief", r#"["read", "write", "admin"]"#)];
    let tokens =
        tokens.map(|(name, scopes)| format!(r#"{{ name = "{name}", token = "token-of-{name}", scopes = {scopes} }}"#));
    let stack = site.start(&[&format!("auth.tokens=[{}]", tokens.join(", "))]).await?;
    run(&python, "with_tokens.py", stack.gateway()?, &[]).await?;
    stack.stop().await
}

#[tokio::test]
async fn other_engines_agree_with_us_about_a_lake_in_a_bucket() -> anyhow::Result<()> {
    const TEST: &str = "other_engines_agree_with_us_about_a_lake_in_a_bucket";
    let Some(python) = testkit::witnesses(TEST) else { return Ok(()) };
    let Some(server) = S3Server::start(TEST) else { return Ok(()) };
    let s3 = server.s3();
    let ground = Ground::s3(BINARY, server.location("lakes").to_string(), s3.clone());
    let site = Site::new(&ground)?;
    let stack = site.start(&[]).await?;
    let variables = [
        ("S3_ENDPOINT", s3.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", s3.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", s3.secret_access_key.expose()),
    ];
    run(&python, "on_s3.py", stack.gateway()?, &variables).await?;
    stack.stop().await
}

/// What a script says of its client. It fails when client and lake disagree.
async fn testimony(python: &Path, script: &str, gateway: &str) -> anyhow::Result<Testimony> {
    Ok(serde_json::from_slice(&run(python, script, gateway, &[]).await?)?)
}

/// Runs a script of this directory with a gateway; what it printed.
async fn run(python: &Path, script: &str, gateway: &str, variables: &[(&str, &str)]) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new(python);
    command.arg("-B").arg(scripts().join(script)).arg(gateway).envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    ensure!(output.status.success(), "{script} says: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/interop")
}
