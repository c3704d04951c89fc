//! The token that is kept in a file of its own or in a variable.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::environment::Environment;
use super::faults::Faults;
use super::layer::{Origin, Written};

const TOKEN: &str = "auth.token";
const FILE: &str = "auth.token_file";
const VARIABLE: &str = "auth.token_env";

/// Lays the token from its file, else from its variable, when nothing states it outright.
pub fn lay(written: &mut Written, environment: &Environment, faults: &mut Faults) {
    if written.0.contains_key(TOKEN) {
        return;
    }
    if let Some(file) = text(written, FILE) {
        match read(Path::new(&file)) {
            Ok(token) => written.lay(TOKEN, token.into(), Origin::File(file.into())),
            Err(reason) => faults.add(format!("{FILE}: {file} {reason}")),
        }
        return;
    }
    let variable = text(written, VARIABLE).unwrap_or_else(|| api::AuthConfig::default().token_env);
    if let Some(token) = environment.get(&variable) {
        written.lay(TOKEN, token.into(), Origin::Variable(variable));
    }
}

fn text(written: &Written, key: &str) -> Option<String> {
    written.0.get(key).and_then(|(value, _)| value.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An empty file is refused: a service must not start open because a file was not filled.
#[expect(clippy::disallowed_methods, reason = "settings are read before any store exists")]
fn read(path: &Path) -> Result<String, String> {
    let mode = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(format!(
            "holds a secret and every user of this machine may use it: run `chmod o= {}`",
            path.display()
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let token = text.trim();
    if token.is_empty() { Err("holds no token".to_owned()) } else { Ok(token.to_owned()) }
}
