//! The secrets file: credentials kept apart from the settings, refused when everybody can read them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Value;

use super::faults::Faults;
use super::layer::{Origin, Written};

/// Read when present; `$LAKEHOUSE_SECRETS` names another.
const DEFAULT_PATH: &str = "/etc/lakehouse/secrets-go.toml";

/// The parts of the file that concern this program; the file may hold more for others.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SecretsFile {
    s3: Servers,
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

/// Lays `[s3.primary]` of the secrets file over the `s3` section. A file that was named must be there.
pub fn lay(named: Option<&str>, written: &mut Written, faults: &mut Faults) {
    let path = Path::new(named.unwrap_or(DEFAULT_PATH));
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(_) if named.is_none() => return,
        Err(error) => return faults.add(format!("{}: {error}", path.display())),
    };
    if found.permissions().mode() & 0o007 != 0 {
        return faults.add(format!(
            "{} holds secrets and every user of this machine may use it: run `chmod o= {0}`",
            path.display()
        ));
    }
    let origin = Origin::File(PathBuf::from(path));
    match read(path) {
        Ok(primary) => primary.lay(written, &origin),
        Err(reason) => faults.add(format!("{}: {reason}", path.display())),
    }
}

#[expect(clippy::disallowed_methods, reason = "settings are read before any store exists")]
fn read(path: &Path) -> Result<Primary, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    // The error of the parser would quote the line, and with it a secret.
    toml::from_str::<SecretsFile>(&text).map(|file| file.s3.primary).map_err(|error| match error.span() {
        Some(span) => format!("line {} is not what [s3.primary] takes", line_of(&text, span.start)),
        None => "is not valid TOML".to_owned(),
    })
}

/// The line of a text, counted from 1, in which this byte lies.
pub fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

impl Primary {
    fn lay(self, written: &mut Written, origin: &Origin) {
        let pairs = [
            ("s3.endpoint", self.endpoint),
            ("s3.region", self.region),
            ("s3.access_key_id", self.access_key_id),
            ("s3.secret_access_key", self.secret_access_key),
        ];
        for (key, value) in pairs {
            if let Some(value) = value {
                written.lay(key, Value::String(value), origin.clone());
            }
        }
    }
}
