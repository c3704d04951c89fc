//! The part of `lakehouse catalog` that versions are for: tags, differences, and the way back.

use base::AsOf;
use client::{Client, ColumnChange, LakeDiff, NamedChange, SchemaChange, TableChange, TagChange};
use serde_json::json;

use super::catalog::as_of_argument;
use crate::exit::Usage;
use crate::output::{Output, Sheet, grouped};

pub async fn tag(client: &Client, tag: &str, version: Option<&str>, output: Output) -> anyhow::Result<()> {
    let put = client.put_tag(tag, as_of_argument(version)?.as_ref()).await?;
    let moved = put.moved_from.map(|from| format!(", no longer {from}")).unwrap_or_default();
    let words = format!("{} names version {}{moved}", output.bold(&put.tag), put.version);
    output.told(&put, || Ok(output.line(words)?))
}

pub async fn tags(client: &Client, output: Output) -> anyhow::Result<()> {
    let tags = client.tags().await?;
    output.rows(&tags, || {
        let header = ["tag", "version"].map(str::to_owned).to_vec();
        let rows = tags.tags.iter().map(|line| vec![line.tag.clone(), line.version.to_string()]).collect();
        Sheet { header, rows, numeric: vec![false, true] }
    })
}

pub async fn untag(client: &Client, tag: &str, output: Output) -> anyhow::Result<()> {
    client.drop_tag(tag).await?;
    let words = format!("{} names nothing now", output.bold(tag));
    output.told(&json!({ "tag": tag, "dropped": true }), || Ok(output.line(words)?))
}

pub async fn roll_back(client: &Client, name: &str, to: &str, output: Output) -> anyhow::Result<()> {
    let rolled = client.roll_back(name, &named(to)?).await?;
    let (rows, version) = (grouped(rolled.row_count), rolled.version);
    let told = if rolled.existing { "is so already, since" } else { "is so again, as of" };
    let words = format!("{} {told} version {version}: {rows} rows", output.bold(&rolled.name));
    output.told(&rolled, || Ok(output.line(words)?))
}

pub async fn drop(client: &Client, name: &str, output: Output) -> anyhow::Result<()> {
    let dropped = client.drop_dataset(name).await?;
    output.told(&dropped, || {
        output.line(format!("{} is gone as of version {}", output.bold(&dropped.name), dropped.version))?;
        let last = dropped.version.0.saturating_sub(1);
        output
            .remark(format!("earlier versions still read it: lakehouse catalog rollback {name} {last} brings it back"));
        Ok(())
    })
}

pub async fn diff(client: &Client, from: Option<&str>, version: &str, output: Output) -> anyhow::Result<()> {
    let diff = client.diff(as_of_argument(from)?.as_ref(), &named(version)?).await?;
    let rows = lines(&diff);
    if rows.is_empty() && !output.json {
        output.remark(format!("version {} has nothing otherwise than version {}", diff.to, diff.from));
    }
    output.rows(&diff, || {
        let header = ["what", "name", "change", "rows added", "rows removed", "rows", "columns"];
        let numeric = vec![false, false, false, true, true, true, false];
        Sheet { header: header.map(str::to_owned).to_vec(), rows, numeric }
    })
}

fn named(version: &str) -> Result<AsOf, Usage> {
    version.parse().map_err(|error: base::AsOfError| Usage(error.to_string()))
}

fn lines(diff: &LakeDiff) -> Vec<Vec<String>> {
    let named = |what: &'static str| move |change: &NamedChange| line(what, &change.name, &change.change);
    let tables = diff.tables.iter().map(table);
    let others = diff.namespaces.iter().map(named("namespace")).chain(diff.indexes.iter().map(named("index")));
    tables.chain(others).chain(diff.tags.iter().map(tag_line)).collect()
}

fn line(what: &str, name: &str, change: &str) -> Vec<String> {
    let (what, name, change) = (what.to_owned(), name.to_owned(), change.to_owned());
    vec![what, name, change, String::new(), String::new(), String::new(), String::new()]
}

fn table(change: &TableChange) -> Vec<String> {
    let count = |rows: Option<u64>| rows.map_or_else(|| "unknown".to_owned(), grouped);
    let became = match &change.renamed_from {
        Some(from) => format!("{} from {from}", change.change),
        None => change.change.clone(),
    };
    let mut line = line("table", &change.name, &became);
    line[3] = count(change.rows_added);
    line[4] = count(change.rows_removed);
    line[5] = grouped(change.rows_after);
    line[6] = change.schema.as_ref().map(columns).unwrap_or_default();
    line
}

fn tag_line(change: &TagChange) -> Vec<String> {
    let versions = match (change.from, change.to) {
        (Some(from), Some(to)) => format!("{} from version {from} to {to}", change.change),
        (Some(version), None) | (None, Some(version)) => format!("{}, version {version}", change.change),
        (None, None) => change.change.clone(),
    };
    line("tag", &change.tag, &versions)
}

/// `+city -town name→full_name`: what came, what went, what is called or typed otherwise.
fn columns(schema: &SchemaChange) -> String {
    let changed = |change: &ColumnChange| {
        let (from, to) = (&change.from, &change.to);
        let name = if from.name == to.name { to.name.clone() } else { format!("{}→{}", from.name, to.name) };
        if from.ty == to.ty { name } else { format!("{name} ({}→{})", from.ty, to.ty) }
    };
    let came = schema.added.iter().map(|column| format!("+{}", column.name));
    let went = schema.removed.iter().map(|column| format!("-{}", column.name));
    let order = schema.reordered.then(|| "other order".to_owned());
    came.chain(went).chain(schema.changed.iter().map(changed)).chain(order).collect::<Vec<_>>().join(" ")
}
