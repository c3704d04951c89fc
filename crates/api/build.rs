//! Writes the table of the error pages, which `src/pages.rs` includes.

#![expect(clippy::disallowed_methods, reason = "sources are read, which are no lake")]

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let (here, out) = (env::var("CARGO_MANIFEST_DIR"), env::var("OUT_DIR"));
    let (here, out) = (here.map_err(io::Error::other)?, out.map_err(io::Error::other)?);
    let pages = Path::new(&here).join("../../docs/errors");
    println!("cargo:rerun-if-changed={}", pages.display());
    let mut names = Vec::new();
    for page in fs::read_dir(&pages)? {
        names.push(page?.path());
    }
    names.sort();
    let line = |path: &std::path::PathBuf| {
        let code = path.file_stem()?.to_str()?;
        Some(format!("    ({code:?}, include_str!({:?})),\n", path.to_str()?))
    };
    let lines: String = names.iter().filter_map(line).collect();
    fs::write(Path::new(&out).join("pages.rs"), format!("[\n{lines}]\n"))
}
