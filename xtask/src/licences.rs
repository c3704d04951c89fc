//! Licences: every outside part must be usable under terms that this product can pass on.

use crate::metadata::{Metadata, Package};

#[cfg(test)]
mod tests;

const ALLOWED: [&str; 16] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "MPL-2.0+",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Names every outside package whose licence does not allow its use here.
pub fn refused(metadata: &Metadata) -> Vec<String> {
    metadata.outside().filter_map(refusal).collect()
}

fn refusal(package: &Package) -> Option<String> {
    let licence = package.license.as_deref().unwrap_or("no licence stated");
    let name = format!("{} {}", package.name, package.version);
    (!allows(licence))
        .then(|| format!("licences: {name} is under {licence:?}, which xtask/src/licences.rs does not list"))
}

/// Whether an SPDX expression offers at least one choice made of allowed licences only.
fn allows(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let mut words = Words { text: expression.trim() };
    let allowed = any(&mut words);
    allowed && words.text.is_empty()
}

/// What is left to read of an expression.
struct Words<'a> {
    text: &'a str,
}

impl Words<'_> {
    fn take(&mut self, word: &str) -> bool {
        let Some(rest) = self.text.strip_prefix(word) else { return false };
        self.text = rest.trim_start();
        true
    }
}

fn any(words: &mut Words<'_>) -> bool {
    let mut allowed = all(words);
    while words.take("OR ") {
        allowed |= all(words);
    }
    allowed
}

fn all(words: &mut Words<'_>) -> bool {
    let mut allowed = one(words);
    while words.take("AND ") {
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut Words<'_>) -> bool {
    if words.take("(") {
        let allowed = any(words);
        return words.take(")") && allowed;
    }
    let end = [" OR ", " AND ", ")"].iter().filter_map(|stop| words.text.find(stop)).min().unwrap_or(words.text.len());
    let (licence, rest) = words.text.split_at(end);
    words.text = rest.trim_start();
    ALLOWED.contains(&licence.trim())
}
