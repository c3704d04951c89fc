//! The smokes as tests: the built binary proves itself.

use crate::command::Desk;

fn holds(name: &str) -> anyhow::Result<()> {
    Desk::new()?.run(&["smoke", name])?.ended(0).map(drop)
}

macro_rules! smokes {
    ($($name:ident),*) => {
        $(
            #[test]
            fn $name() -> anyhow::Result<()> {
                holds(stringify!($name))
            }
        )*
    };
}

smokes!(d1, d2, d3, d4, d5, d6, g1, g1p, time_travel, iceberg, chatd, validatord);

/// Those that embed texts need the model.
#[test]
fn g2() -> anyhow::Result<()> {
    holds_with_model("g2")
}

#[test]
fn split() -> anyhow::Result<()> {
    holds_with_model("split")
}

fn holds_with_model(name: &str) -> anyhow::Result<()> {
    let Some(desk) = Desk::with_model(&format!("smokes::{name}"))? else { return Ok(()) };
    desk.run(&["smoke", name])?.ended(0).map(drop)
}

#[test]
fn the_list_names_them_and_others_are_refused() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let list = desk.run(&["smoke", "list"])?.ended(0)?.out;
    assert_eq!(list.lines().count(), 14);
    desk.run(&["smoke", "d9"])?.ended(2)?;
    Ok(())
}

/// The same proofs on a real S3 server.
#[test]
fn those_on_a_store_hold_on_s3() -> anyhow::Result<()> {
    let Some(server) = testkit::S3Server::start("smokes::those_on_a_store_hold_on_s3") else { return Ok(()) };
    let s3 = server.s3();
    let desk = Desk::new()?
        .with("LAKEHOUSE__S3__ENDPOINT", &s3.endpoint)
        .with("LAKEHOUSE__S3__ACCESS_KEY_ID", &s3.access_key_id)
        .with("LAKEHOUSE__S3__SECRET_ACCESS_KEY", s3.secret_access_key.expose())
        .with("LAKEHOUSE__S3__ALLOW_HTTP", "true");
    let prefix = server.location("smokes").to_string();
    desk.run(&["smoke", "d2", "d5", "g1", "g1p", "time_travel", "iceberg", "--s3", &prefix])?.ended(0)?;
    desk.run(&["smoke", "d1", "--s3", &prefix])?.ended(2)?;
    Ok(())
}
