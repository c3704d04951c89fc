//! The table in `docs/interop.md` of what works with which client.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;

const END: &str = "<!-- end of what the tests made -->\n";

/// What a client can do, by its own proof.
#[derive(Deserialize)]
pub struct Testimony {
    client: String,
    abilities: Vec<Proof>,
}

#[derive(Deserialize)]
struct Proof {
    ability: String,
    works: bool,
    note: Option<String>,
}

/// Fails when a section of the page says something else than the witnesses do.
#[expect(clippy::disallowed_methods, reason = "a test compares a page of the repository, or rewrites it when told to")]
pub fn expect_current(section: &str, witnesses: &[Testimony]) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(path())?;
    let begin = format!("<!-- {section}: made by the tests, UPDATE_INTEROP=1 rewrites it -->\n");
    let (before, rest) = page.split_once(&begin).context("the page lacks the mark where the table begins")?;
    let (_, after) = rest.split_once(END).context("the page lacks the mark where the table ends")?;
    let current = format!("{before}{begin}{}{END}{after}", table(witnesses));
    if std::env::var_os("UPDATE_INTEROP").is_some() {
        return Ok(std::fs::write(path(), current)?);
    }
    ensure!(page == current, "docs/interop.md is stale; run this test with UPDATE_INTEROP=1 and look at what changed");
    Ok(())
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/interop.md")
}

/// A line for each ability, a column for each client, and the notes below.
fn table(witnesses: &[Testimony]) -> String {
    let mut notes = Vec::new();
    let clients: String = witnesses.iter().map(|witness| format!(" {} |", witness.client)).collect();
    let mut lines = vec![format!("| |{clients}"), format!("|---|{}", "---|".repeat(witnesses.len()))];
    let abilities = witnesses.first().map_or(&[][..], |witness| &witness.abilities);
    for (row, first) in abilities.iter().enumerate() {
        let proofs = witnesses.iter().filter_map(|witness| witness.abilities.get(row));
        let cells: String = proofs.map(|proof| format!(" {} |", cell(proof, &mut notes))).collect();
        lines.push(format!("| {} |{cells}", first.ability));
    }
    lines.push(String::new());
    lines.extend(notes.iter().enumerate().map(|(place, note)| format!("{}. {note}", place + 1)));
    lines.join("\n") + "\n"
}

fn cell(proof: &Proof, notes: &mut Vec<String>) -> String {
    let word = if proof.works { "yes" } else { "no" };
    let Some(note) = &proof.note else { return word.to_owned() };
    let place = notes.iter().position(|known| known == note).unwrap_or_else(|| {
        notes.push(note.clone());
        notes.len() - 1
    });
    format!("{word} ({})", place + 1)
}
