//! The reference page `docs/config.md`, made from the doc comments.

use std::fmt::Write;

use super::Config;
use super::keys::Keys;

/// Markdown: one table per section with key, default and meaning.
pub fn render() -> String {
    let keys = Keys::known();
    let defaults = Config::default().entries().expect("defaults are plain values");
    let mut page = String::from(HEAD);
    for (section, doc) in &keys.sections {
        write!(page, "\n## [{section}]\n\n{doc}\n\n| key | default | meaning |\n|---|---|---|\n").expect("text");
        for (key, known) in keys.keys.iter().filter(|(key, _)| key.split('.').next() == Some(section)) {
            let name = key.trim_start_matches(section.as_str()).trim_start_matches('.');
            let default = defaults.get(key).map(|value| format!("`{value}`")).unwrap_or_default();
            writeln!(page, "| `{name}` | {default} | {} |", known.doc).expect("text");
        }
    }
    page
}

const HEAD: &str = "# Settings

Every setting has a default. A file (`--config FILE` or `$LAKEHOUSE_CONFIG`, TOML) overrides the defaults, the
environment (`LAKEHOUSE__SECTION__KEY=value`) the file, and `--set section.key=value` both. `--lake` and
`$LAKEHOUSE_LAKE` set `lake.location`. Unknown keys are errors, and all faults are reported together:
`lakehouse config check`. `lakehouse config show` prints every value and where it came from, secrets hidden.

Sizes are written `256MiB`, durations `30s`. `${env:NAME}` and `${file:PATH}` inside a value stand for a variable
and for a file's text. Credentials may live apart, in `/etc/lakehouse/secrets-go.toml` (or `$LAKEHOUSE_SECRETS`): those of
S3 under `[s3.primary]`, tokens under `[auth]`, keys of providers under `[models.providers.<name>]`. That file is refused
when every user of the machine may read it.

This page is made from the doc comments of the code: `UPDATE_CONFIG_PAGE=1 cargo test --package lakehouse config_page`.
";
