//! Tokens and binds: who may ask, from where, and what a start outside loopback needs.

use std::path::Path;

use anyhow::Context;
use smokes::probe::Probe;
use smokes::stack::{Ground, Site};

use crate::command::{BINARY, Desk};

const TOKEN: &str = "correct-horse-battery";

#[tokio::test]
async fn commands_show_their_token() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let stack = site.start(&[&format!("auth.token={TOKEN}")]).await?;
    let gateway = stack.gateway()?;
    let list = ["catalog", "list", "--gateway", gateway];
    let desk = Desk::new()?;
    let refused = desk.run(&list)?.ended(1)?.err;
    assert!(refused.contains("token"), "{refused}");
    desk.run(&[&list[..], &["--token", "wrong"]].concat())?.ended(1)?;
    desk.run(&[&list[..], &["--token", TOKEN]].concat())?.ended(0)?;
    let desk = desk.with("LAKEHOUSE_TOKEN", TOKEN);
    desk.run(&list)?.ended(0)?;
    Probe::of(gateway)?.get("/health").await?.expect(200)?;
    Probe::of(gateway)?.get("/metrics").await?.expect(401)?;
    stack.stop().await
}

/// The roles of a split stack share the token, and the process that embeds is asked with it.
#[tokio::test]
async fn roles_pass_the_token_on() -> anyhow::Result<()> {
    let site = Site::new(&Ground::directory(BINARY))?;
    let token = format!("auth.token={TOKEN}");
    let embedd = site.start_roles(&["embedd"], &[&token]).await?;
    let upstream = format!("upstreams.embedd={}", embedd.ready.roles["embedd"]);
    let vectord = site.start_roles(&["vectord"], &[&token, &upstream]).await?;
    let upstreams = format!("upstreams.vectord={}", vectord.ready.roles["vectord"]);
    let gateway = site.start_roles(&["gateway"], &[&token, &upstream, &upstreams]).await?;
    let desk = Desk::new()?.with("LAKEHOUSE_TOKEN", TOKEN);
    let create = ["vectors", "create", "points", "--dimension", "3", "--gateway", gateway.gateway()?];
    desk.run(&create)?.ended(0)?;
    let ask = ["embed", "a text", "--model", "nobody/nothing", "--gateway", gateway.gateway()?];
    assert!(desk.run(&ask)?.ended(3)?.err.contains("models.unknown_model"));
    gateway.stop().await?;
    vectord.stop().await?;
    embedd.stop().await
}

#[test]
fn a_bind_outside_loopback_needs_a_token_and_leave() -> anyhow::Result<()> {
    let serve = ["serve", "--lake", "lake", "--set", "gateway.bind=0.0.0.0:0"];
    let refused = |desk: Desk| -> anyhow::Result<()> {
        let told = desk.run(&serve)?.ended(2)?.err;
        for part in ["0.0.0.0:0", "gateway", "LH_GATEWAY_ALLOW_NONLOOPBACK"] {
            anyhow::ensure!(told.contains(part), "{part} is missing in {told}");
        }
        Ok(())
    };
    refused(Desk::new()?)?;
    refused(Desk::new()?.with("AUTH_TOKEN", TOKEN))?;
    refused(Desk::new()?.with("LH_GATEWAY_ALLOW_NONLOOPBACK", "1"))?;
    refused(Desk::new()?.with("AUTH_TOKEN", TOKEN).with("LH_GATEWAY_ALLOW_NONLOOPBACK", "true"))?;
    let check = ["config", "check", "--set", "gateway.bind=0.0.0.0:0"];
    let desk = Desk::new()?.with("AUTH_TOKEN", TOKEN).with("LH_GATEWAY_ALLOW_NONLOOPBACK", "1");
    desk.run(&check)?.ended(0)?;
    let shown = desk.run(&["config", "show"])?.ended(0)?.out;
    assert!(!shown.contains(TOKEN) && shown.contains("$AUTH_TOKEN"), "{shown}");
    Ok(())
}

/// Bound to every address, a role starts, says where this machine reaches it, and answers to the address that was
/// called and to no other.
#[tokio::test]
async fn what_is_bound_to_every_address_starts_and_answers() -> anyhow::Result<()> {
    let token = format!("auth.token={TOKEN}");
    for (bind, own) in [("0.0.0.0:0", "127.0.0.2"), ("[::]:0", "[::1]")] {
        let desk = Desk::new()?.with("LH_GATEWAY_ALLOW_NONLOOPBACK", "1");
        let bind = format!("gateway.bind={bind}");
        let serve = ["serve", "--lake", "lake", "--set", &bind, "--set", &token, "--set", "models.download=false"];
        let mut child = desk.command(Path::new(BINARY)).args(serve).spawn()?;
        let (mut line, out) = (String::new(), child.stdout.take().context("standard output")?);
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
        let port = line.trim().rsplit_once(':').with_context(|| format!("no URL: {line:?}"))?.1;
        Probe::of(line.trim())?.get("/health").await?.expect(200)?;
        Probe::of(&format!("http://{own}:{port}"))?.get("/health").await?.expect(200)?;
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}
