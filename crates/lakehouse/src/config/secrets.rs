//! The secrets file: credentials kept apart from the settings, refused when everybody can read them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::faults::Faults;
use super::layer::{Origin, Written};

/// Read when present; `$LAKEHOUSE_SECRETS` names another.
const DEFAULT_PATH: &str = "/etc/lakehouse/secrets-go.toml";

/// The sections that are read.
const SECTIONS: [&str; 3] = ["s3", "auth", "models"];
/// The keys of `[auth]` that are read.
const AUTH: [&str; 3] = ["token", "secondary_tokens", "tokens"];
/// The key of a provider that is read.
const API_KEY: &str = "api_key";
/// From here on two names are likely one of them misspelt; 1 is the same.
const LIKELY: f64 = 0.85;

/// The parts of the file that concern this program; the file may hold more for others.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SecretsFile {
    s3: Servers,
    auth: Auth,
    models: Models,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Servers {
    primary: Primary,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Primary {
    endpoint: Option<String>,
    region: Option<String>,
    #[serde(alias = "access_key")]
    access_key_id: Option<String>,
    #[serde(alias = "secret_key")]
    secret_access_key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Auth {
    token: Option<Value>,
    secondary_tokens: Option<Value>,
    tokens: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Models {
    providers: BTreeMap<String, Provider>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Provider {
    api_key: Option<String>,
}

/// The secrets file that is read, and its mode where it is there.
pub fn found(named: Option<&str>) -> (PathBuf, Option<u32>) {
    let path = PathBuf::from(named.unwrap_or(DEFAULT_PATH));
    let mode = std::fs::metadata(&path).ok().map(|found| found.permissions().mode());
    (path, mode)
}

/// Whether every user of this machine may use a file of this mode.
pub fn is_open(mode: u32) -> bool {
    mode & 0o007 != 0
}

/// Lays what the secrets file holds over the settings. A file that was named must be there.
pub fn lay(named: Option<&str>, written: &mut Written, faults: &mut Faults) {
    let path = Path::new(named.unwrap_or(DEFAULT_PATH));
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(_) if named.is_none() => return,
        Err(error) => return faults.add(format!("{}: {error}", path.display())),
    };
    if is_open(found.permissions().mode()) {
        return faults.add(format!(
            "{} holds secrets and every user of this machine may use it: run `chmod o= {0}`",
            path.display()
        ));
    }
    let origin = Origin::File(PathBuf::from(path));
    match read(path) {
        Ok((secrets, table)) => {
            for stranger in strangers(&table) {
                faults.add(format!("{}: {stranger}", path.display()));
            }
            secrets.lay(written, &origin);
        }
        Err(reason) => faults.add(format!("{}: {reason}", path.display())),
    }
}

/// What looks meant for this program and would be passed over: a service must not start open because a token's key is
/// misspelt. Other sections may be for others.
fn strangers(table: &Table) -> Vec<String> {
    let keys = |section: Option<&Value>| -> Vec<String> {
        section.and_then(Value::as_table).into_iter().flat_map(Table::keys).cloned().collect()
    };
    let mut strangers = Vec::new();
    for (name, value) in table {
        if AUTH.contains(&name.as_str()) {
            strangers.push(format!("{name} stands below no section; write it below [auth]"));
        } else if value.is_table() && !SECTIONS.contains(&name.as_str()) {
            let meant = SECTIONS.iter().find(|section| strsim::jaro_winkler(section, name) > LIKELY);
            strangers.extend(meant.map(|meant| format!("there is no section [{name}]; did you mean [{meant}]?")));
        }
    }
    for key in keys(table.get("auth")).iter().filter(|key| !AUTH.contains(&key.as_str())) {
        strangers.push(format!("auth.{key} is not read from here; this section takes {}", AUTH.join(", ")));
    }
    let providers = table.get("models").and_then(|models| models.get("providers"));
    for name in keys(providers) {
        let taken = keys(providers.and_then(|providers| providers.get(&name)));
        let wrong = taken.iter().filter(|key| *key != API_KEY);
        strangers.extend(
            wrong.map(|key| {
                format!("models.providers.{name}.{key} is not read from here; this section takes {API_KEY}")
            }),
        );
    }
    strangers
}

#[expect(clippy::disallowed_methods, reason = "settings are read before any store exists")]
fn read(path: &Path) -> Result<(SecretsFile, Table), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    // The error of the parser would quote the line, and with it a secret.
    let wrong = |error: toml::de::Error| match error.span() {
        Some(span) => format!("line {} is not what a secrets file takes", line_of(&text, span.start)),
        None => "is not valid TOML".to_owned(),
    };
    Ok((toml::from_str(&text).map_err(wrong)?, toml::from_str(&text).map_err(wrong)?))
}

/// The line of a text, counted from 1, in which this byte lies.
pub fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

impl SecretsFile {
    fn lay(self, written: &mut Written, origin: &Origin) {
        let Primary { endpoint, region, access_key_id, secret_access_key } = self.s3.primary;
        let texts = [
            ("s3.endpoint", endpoint),
            ("s3.region", region),
            ("s3.access_key_id", access_key_id),
            ("s3.secret_access_key", secret_access_key),
        ];
        let texts = texts.into_iter().map(|(key, text)| (key.to_owned(), text.map(Value::String)));
        let Auth { token, secondary_tokens, tokens } = self.auth;
        let auth = [("auth.token", token), ("auth.secondary_tokens", secondary_tokens), ("auth.tokens", tokens)];
        let auth = auth.into_iter().map(|(key, value)| (key.to_owned(), value));
        let keys = self.models.providers.into_iter();
        let keys = keys.map(|(name, one)| (format!("models.providers.{name}.api_key"), one.api_key.map(Value::String)));
        for (key, value) in texts.chain(auth).chain(keys) {
            if let Some(value) = value {
                written.lay(key, value, origin.clone());
            }
        }
    }
}
