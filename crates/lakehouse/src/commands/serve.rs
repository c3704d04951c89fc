//! `lakehouse serve`.

use crate::cli::Serve;
use crate::config::{Sources, settle};
use crate::output::Output;
use crate::serve::{self, Plan};

pub async fn run(serve: Serve, sources: Sources, output: Output) -> anyhow::Result<()> {
    let settled = settle(&Sources { lake: serve.lake, ..sources })?;
    let plan = Plan::of(&settled.config, &serve.roles)?;
    let running = serve::start(&settled.config, plan).await?;
    running.announce(serve.ready_file.as_deref(), output).await?;
    running.until_stopped().await
}
