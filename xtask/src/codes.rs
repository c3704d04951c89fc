//! Error codes and their pages: every code that can leave the house is explained, and nothing else is.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::project::Project;

#[cfg(test)]
mod tests;

/// Names codes without a page, pages without a code, and pages that the index lacks.
pub fn unexplained(project: &Project) -> Result<Vec<String>> {
    let mut codes = BTreeSet::new();
    for file in project.sources().filter(|file| file.starts_with("crates/")) {
        let text = project.read(file)?;
        if file.ends_with("/error.rs") || text.contains("Fault for ") {
            codes.extend(codes_in(&text));
        }
    }
    let page = |file: &String| Some(file.strip_prefix("docs/errors/")?.strip_suffix(".md")?.to_owned());
    let pages: BTreeSet<String> = project.files.iter().filter_map(page).filter(|page| page != "README").collect();
    let missing = codes.difference(&pages).map(|code| format!("codes: {code} has no page docs/errors/{code}.md"));
    let stale = pages.difference(&codes).map(|code| format!("codes: no error has the code of docs/errors/{code}.md"));
    let index = project.read("docs/errors/README.md")?;
    let unlisted = pages.iter().filter(|code| !index.contains(&format!("({code}.md)")));
    let unlisted = unlisted.map(|code| format!("codes: docs/errors/README.md lacks {code}"));
    Ok(missing.chain(stale).chain(unlisted).collect())
}

/// String literals of the form `<room>.<snake_case>`.
fn codes_in(text: &str) -> BTreeSet<String> {
    text.lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|word| is_code(word))
        .map(str::to_owned)
        .collect()
}

fn is_code(word: &str) -> bool {
    let Some((room, name)) = word.split_once('.') else { return false };
    let snake = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    snake(room) && snake(name)
}
