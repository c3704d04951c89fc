//! `lakehouse compact | expire | sweep | backup | restore | relocate`: the lake is kept in order.

use base::{Seams, Version};
use catalog::Catalog;
use client::{Client, Compacted, Expired, Swept};
use serde_json::json;
use storage::{Location, Store};
use upkeep::{BackedUp, Upkeep};

use super::catalog::as_of_argument;
use crate::cli::{Backup, Compact, CompactArgs, Expire, ExpireArgs, Relocate, Restore, Sweep, SweepArgs};
use crate::config::{Config, Sources, settle};
use crate::door::{Door, Purpose, expect_lake};
use crate::output::{Output, Sheet, grouped};

/// Who asks, in the log.
const AUTHOR: &str = "lakehouse";

pub async fn compact(compact: &Compact, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let door = Door::open(&compact.target, sources, Purpose::Existing).await?;
    let outcome = compact_by(&compact.what, &door.client, output).await;
    door.close().await;
    outcome
}

pub async fn compact_by(how: &CompactArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let CompactArgs { name, target_size, dry_run } = how;
    let call = client::Compact { name: name.clone(), target_size: *target_size, dry_run: *dry_run };
    let done = client.compact(&call).await?;
    show_compacted(&done, output)
}

pub async fn expire(expire: &Expire, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let door = Door::open(&expire.target, sources, Purpose::Existing).await?;
    let outcome = expire_by(&expire.what, &door.client, output).await;
    door.close().await;
    outcome
}

pub async fn expire_by(how: &ExpireArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let (older_than, keep_last) = (how.older_than, how.keep_last);
    let done = client.expire(&client::Expire { older_than, keep_last, dry_run: !how.yes }).await?;
    output.told(&done, || show_expired(&done, output))
}

pub async fn sweep(sweep: &Sweep, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let door = Door::open(&sweep.target, sources, Purpose::Existing).await?;
    let outcome = sweep_by(&sweep.what, &door.client, output).await;
    door.close().await;
    outcome
}

pub async fn sweep_by(how: &SweepArgs, client: &Client, output: Output) -> anyhow::Result<()> {
    let (grace, limit, after) = (how.grace, how.limit, how.after.clone());
    let done = client.sweep(&client::Sweep { grace, limit, after, dry_run: !how.yes }).await?;
    output.told(&done, || show_swept(&done, output))
}

pub async fn backup(backup: &Backup, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let config = lake(backup.lake.as_ref(), sources)?;
    expect_lake(&config)?;
    let as_of = as_of_argument(backup.as_of.as_deref())?;
    let catalog = Catalog::open(lake_store(&config).await?, &config.catalogd.settings, Seams::system()).await?;
    let to = store_at(&config, &backup.to).await?;
    let done = Upkeep::new(catalog.clone(), Seams::system()).back_up(&to, as_of.as_ref()).await;
    catalog.close().await;
    let done = done?;
    output.told(&done, || show_backed_up(&done, output))
}

fn show_backed_up(done: &BackedUp, output: Output) -> anyhow::Result<()> {
    let BackedUp { version, datasets, streams, files, bytes, .. } = done;
    let (files, bytes) = (grouped(*files), grouped(*bytes));
    output.line(format!("version {version}: {datasets} datasets, {streams} streams, {files} files, {bytes} bytes"))?;
    if !done.unsealed {
        output.line(
            "no streams, and of indexes what this version had sealed; a backup of the newest version holds the rest",
        )?;
    }
    Ok(())
}

pub async fn restore(restore: &Restore, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let config = lake(restore.lake.as_ref(), sources)?;
    expect_backup(&restore.from)?;
    let (from, to) = (store_at(&config, &restore.from).await?, lake_store(&config).await?);
    let done = upkeep::restore(&from, &to).await?;
    let line = format!("version {}: {} files compared and restored", done.version, grouped(done.files));
    output.told(&done, || Ok(output.line(&line)?))
}

pub async fn relocate(relocate: &Relocate, sources: &Sources, output: Output) -> anyhow::Result<()> {
    let config = lake(relocate.lake.as_ref(), sources)?;
    expect_lake(&config)?;
    let store = lake_store(&config).await?;
    let done = Catalog::relocate(store, &config.catalogd.settings, Seams::system(), AUTHOR).await?;
    let left: Vec<_> = done.left_alone.iter().map(|(name, why)| json!({ "name": name, "why": why })).collect();
    let told = json!({ "root": done.root, "version": done.version, "tables": done.tables, "left_alone": left });
    output.told(&told, || {
        output.line(format!("{} tables now lie under {}", done.tables, done.root))?;
        done.left_alone.iter().for_each(|(name, why)| output.remark(format!("{name} was left alone: {why}")));
        Ok(())
    })
}

/// Refuses a directory that holds no backup before anything is opened, which would make it.
fn expect_backup(place: &str) -> anyhow::Result<()> {
    match place.parse()? {
        Location::Directory(path) if !path.join("backup.json").is_file() => Err(upkeep::Error::NoBackup.into()),
        _ => Ok(()),
    }
}

fn show_compacted(done: &Compacted, output: Output) -> anyhow::Result<()> {
    output.rows(done, || merged(done))?;
    if output.json {
        return Ok(());
    }
    for left in &done.datasets {
        left.left_alone.iter().for_each(|why| output.remark(format!("{} was left alone: {why}", left.name)));
    }
    hint(done.dry_run, "without --dry-run the files are merged", output);
    Ok(())
}

fn merged(done: &Compacted) -> Sheet {
    let header = ["name", "files", "became", "rows", "version"].map(str::to_owned).to_vec();
    let changed = done.datasets.iter().filter(|dataset| dataset.files > 0);
    let rows = changed.map(|dataset| {
        let version = dataset.version.map(|version| version.to_string()).unwrap_or_default();
        let numbers = [dataset.files, dataset.files_after, dataset.rows].map(grouped);
        std::iter::once(dataset.name.clone()).chain(numbers).chain([version]).collect()
    });
    Sheet { header, rows: rows.collect(), numeric: vec![false, true, true, true, true] }
}

fn show_expired(done: &Expired, output: Output) -> anyhow::Result<()> {
    let last = Version(done.oldest.0.saturating_sub(1));
    let went = if done.dry_run { "would go" } else { "went" };
    output.line(match done.versions {
        0 => "no version is old enough".to_owned(),
        count => format!("{} versions {went}, from {} to {last}", grouped(count), done.before),
    })?;
    if !done.tagged.is_empty() {
        let tagged: Vec<String> = done.tagged.iter().map(ToString::to_string).collect();
        output.line(format!("kept for their tags: {}", tagged.join(", ")))?;
    }
    hint(done.dry_run && done.versions > 0, "with --yes they go; their files go with the next sweep", output);
    Ok(())
}

fn show_swept(done: &Swept, output: Output) -> anyhow::Result<()> {
    for stray in &done.strays {
        output.line(output.dim(&format!("{}  {} bytes", stray.path, grouped(stray.size))))?;
    }
    let went = if done.dry_run { "would go" } else { "went" };
    output.line(format!("{} files of {} bytes {went}", grouped(done.files), grouped(done.bytes)))?;
    done.unread.iter().for_each(|home| output.remark(format!("{home} does not read: nothing in it is swept")));
    done.next.iter().for_each(|next| output.remark(format!("more of them: --after {next}")));
    hint(done.dry_run && done.files > 0, "with --yes they go", output);
    Ok(())
}

fn hint(wanted: bool, text: &str, output: Output) {
    if wanted {
        output.remark(text);
    }
}

/// The settings with this lake, or with the default one.
fn lake(lake: Option<&String>, sources: &Sources) -> anyhow::Result<Config> {
    Ok(settle(&Sources { lake: lake.cloned(), ..sources.clone() })?.config)
}

async fn lake_store(config: &Config) -> anyhow::Result<Store> {
    store_at(config, &config.lake.location).await
}

async fn store_at(config: &Config, place: &str) -> anyhow::Result<Store> {
    let location: Location = place.parse()?;
    Ok(Store::open(&location, &config.storage(), Seams::system()).await?)
}
