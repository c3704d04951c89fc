//! From what was written to what holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use api::Role;
use serde::Deserialize;
use storage::secret::NO_TEXT;
use toml::{Table, Value};
use url::Url;

use super::environment::Environment;
use super::faults::Faults;
use super::keys::{Keys, Shape};
use super::layer::{Origin, Written, alone};
use super::{Config, bounds, places, secrets, tokens};

/// Everything that may say something about the settings.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// `--set`, in the order given.
    pub set: Vec<String>,
    /// `--lake`.
    pub lake: Option<String>,
    pub environment: Environment,
}

/// Settings that hold, with the origin of each key that was written.
#[derive(Debug)]
pub struct Settled {
    pub config: Config,
    origins: BTreeMap<String, Origin>,
    keys: Keys,
}

impl Settled {
    /// What a key means.
    pub fn meaning(&self, key: &str) -> &str {
        self.keys.get(key).map_or("", |known| &known.doc)
    }

    /// How many keys somebody wrote a value for.
    pub fn written(&self) -> usize {
        self.origins.len()
    }

    /// Whether somebody wrote a value for this key or for one below it.
    pub fn is_written(&self, key: &str) -> bool {
        let below =
            |written: &str| written.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.origins.keys().any(|written| below(written))
    }

    /// Where a key's value came from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

/// Reads every source and reports all faults together.
pub fn settle(sources: &Sources) -> Result<Settled, Faults> {
    let keys = Keys::known();
    let mut faults = Faults::default();
    let mut written = gather(sources, &keys, &mut faults);
    check_keys(&mut written, &keys, &mut faults);
    expand(&mut written, &sources.environment, &mut faults);
    tokens::lay(&mut written, &sources.environment, &mut faults);
    check_values(&mut written, &mut faults);
    let mut config = Config::deserialize(written.table()).unwrap_or_else(|error| {
        faults.add(error.message());
        Config::default()
    });
    places::settle(&mut config, &sources.environment, &mut faults);
    config.exposed = exposed(&sources.environment);
    check_together(&config, &mut faults);
    faults.settled()?;
    let origins = written.0.into_iter().map(|(key, (_, origin))| (key, origin)).collect();
    Ok(Settled { config, origins, keys })
}

/// The layers in order, the strongest last.
fn gather(sources: &Sources, keys: &Keys, faults: &mut Faults) -> Written {
    let mut written = Written::default();
    let environment = &sources.environment;
    let file = sources.file.clone().or_else(|| environment.get("LAKEHOUSE_CONFIG").map(PathBuf::from));
    if let Some(file) = file {
        lay_file(&file, &mut written, faults);
    }
    secrets::lay(environment.get("LAKEHOUSE_SECRETS"), &mut written, faults);
    if let Some(lake) = environment.get("LAKEHOUSE_LAKE") {
        written.lay("lake.location", lake.into(), Origin::Variable("LAKEHOUSE_LAKE".to_owned()));
    }
    for (variable, key, value) in environment.settings() {
        let value = read_text(keys, &key, value);
        written.lay(key, value, Origin::Variable(variable.to_owned()));
    }
    for setting in &sources.set {
        match setting.split_once('=') {
            Some((key, value)) => {
                written.lay(key.trim(), read_text(keys, key.trim(), value), Origin::Option("--set"));
            }
            // What follows the key may be a secret.
            None => {
                let key: String =
                    setting.chars().take_while(|c| c.is_ascii_alphanumeric() || "._".contains(*c)).collect();
                faults.add(format!("--set {key}: write section.key=value"));
            }
        }
    }
    if let Some(lake) = &sources.lake {
        written.lay("lake.location", lake.as_str().into(), Origin::Option("--lake"));
    }
    written
}

#[expect(clippy::disallowed_methods, reason = "settings are read before any store exists")]
fn lay_file(path: &Path, written: &mut Written, faults: &mut Faults) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return faults.add(format!("{}: {error}", path.display())),
    };
    match text.parse::<Table>() {
        Ok(table) => written.lay_table(&table, &Origin::File(path.to_owned())),
        Err(error) => faults.add(format!("{}: {}", path.display(), unreadable(&text, &error))),
    }
}

/// What the parser says without the line that it would quote: there may be a secret in it.
fn unreadable(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| secrets::line_of(text, span.start));
    format!("line {line} is not valid TOML: {}", error.message().replace('\n', ", "))
}

/// Text from the environment or the command line, as the key's type wants it.
fn read_text(keys: &Keys, key: &str, text: &str) -> Value {
    let wants_toml = keys.get(key).is_some_and(|known| known.shape == Shape::Toml);
    let parsed = wants_toml.then(|| format!("v = {text}").parse::<Table>().ok()?.remove("v")).flatten();
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Drops keys that nobody knows, naming the nearest known one.
fn check_keys(written: &mut Written, keys: &Keys, faults: &mut Faults) {
    written.0.retain(|key, (_, origin)| {
        let known = keys.get(key).is_some();
        if !known {
            let hint = keys.nearest(key).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            faults.add(format!("{key} ({origin}): there is no such key{hint}"));
        }
        known
    });
}

/// Replaces `${env:X}` and `${file:X}` in every text; drops those that cannot be replaced.
fn expand(written: &mut Written, environment: &Environment, faults: &mut Faults) {
    written.0.retain(|key, (value, origin)| {
        expand_value(value, environment).map_err(|reason| faults.add(format!("{key} ({origin}): {reason}"))).is_ok()
    });
}

fn expand_value(value: &mut Value, environment: &Environment) -> Result<(), String> {
    match value {
        Value::String(text) => *text = expanded(text, environment)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| expand_value(item, environment))?,
        Value::Table(table) => table.iter_mut().try_for_each(|(_, item)| expand_value(item, environment))?,
        _ => {}
    }
    Ok(())
}

fn expanded(text: &str, environment: &Environment) -> Result<String, String> {
    let Some((before, rest)) = text.split_once("${") else { return Ok(text.to_owned()) };
    let (name, after) = rest.split_once('}').ok_or("`${` without `}`")?;
    let value = match name.split_once(':') {
        Some(("env", variable)) => {
            environment.get(variable).ok_or_else(|| format!("${{{name}}}: the variable is not set"))?.to_owned()
        }
        Some(("file", path)) => read_value(path).map_err(|error| format!("${{{name}}}: {error}"))?,
        _ => return Err(format!("${{{name}}}: write ${{env:NAME}} or ${{file:PATH}}")),
    };
    Ok(format!("{before}{value}{}", expanded(after, environment)?))
}

/// A value kept in a file of its own; the line end that editors add is no part of it.
#[expect(clippy::disallowed_methods, reason = "settings are read before any store exists")]
fn read_value(path: &str) -> std::io::Result<String> {
    Ok(std::fs::read_to_string(path)?.trim_end_matches(['\n', '\r']).to_owned())
}

/// Tries each value by itself, so that one wrong value does not hide the next.
fn check_values(written: &mut Written, faults: &mut Faults) {
    written.0.retain(|key, (value, origin)| {
        let Err(error) = read(key, value) else { return true };
        faults.add(format!("{key} ({origin}): {}{}", place(key, value, &error), unfit(key, error.message())));
        false
    });
}

fn read(key: &str, value: &Value) -> Result<Config, toml::de::Error> {
    Config::deserialize(alone(key, value.clone()))
}

/// Which item of a list is the first wrong one, and which of its fields.
fn place(key: &str, value: &Value, error: &toml::de::Error) -> String {
    let is_wrong = |item: &Value| read(key, &Value::Array(vec![item.clone()])).is_err();
    let Some(at) = value.as_array().and_then(|items| items.iter().position(is_wrong)) else { return String::new() };
    let told = error.to_string();
    let path = told.rsplit_once("in `").and_then(|(_, path)| path.trim_end().strip_suffix('`'));
    let field = path.and_then(|path| path.strip_prefix(key)?.strip_prefix('.'));
    format!("item {}{}: ", at + 1, field.map(|field| format!(", {field}")).unwrap_or_default())
}

/// Why a value does not fit its key. The parser quotes the value, and one of `[auth]` may be a secret in the wrong shape.
fn unfit(key: &str, message: &str) -> String {
    let quotes_none = ["missing field", NO_TEXT].into_iter().any(|start| message.starts_with(start));
    if quotes_none || !key.starts_with("auth.") {
        return message.to_owned();
    }
    let expected = message.rsplit_once("expected ").map_or("another shape", |(_, expected)| expected);
    format!("the value is not what this key takes, which is {expected}")
}

/// Rules that concern several values, or values as a whole.
fn check_together(config: &Config, faults: &mut Faults) {
    for role in Role::ALL {
        if let Some(written) = config.upstreams.of(role)
            && let Err(reason) = upstream(written)
        {
            faults.add(format!("upstreams.{}: {} {reason}", role.name(), shown(written)));
        }
        if let Err(refusal) = config.exposure(role).check(role, config.bind(role)) {
            faults.add(refusal.to_string());
        }
    }
    if let Err(refusal) = config.auth() {
        faults.add(refusal.to_string());
    }
    if let Err(refusal) =
        config.models(None).map(drop).and_then(|()| config.chat(None, base::Seams::system()).map(drop))
    {
        faults.add(refusal.to_string());
    }
    for (key, written) in [("s3.endpoint", &config.s3.endpoint), ("models.hub_url", &config.models.hub_url)] {
        if !written.is_empty()
            && let Err(reason) = upstream(written)
        {
            faults.add(format!("{key}: {} {reason}", shown(written)));
        }
    }
    if let Err(refusal) = config.validatord.settings.roster.parse::<base::DatasetName>() {
        faults.add(format!("validatord.roster: {refusal}"));
    }
    for (key, reason) in config.ingestd.settings.flaws() {
        faults.add(format!("ingestd.{key}: {reason}"));
    }
    for host in config.gateway.settings.allowed_hosts.iter().filter(|host| !is_host(host)) {
        faults.add(format!("gateway.allowed_hosts: {host:?} is no name such as lake.example or lake.example:8443"));
    }
    if let Err(error) = config.lake.location.parse::<storage::Location>() {
        faults.add(format!("lake.location: {error}"));
    }
    bounds::check(config, faults);
}

/// The roles whose variable is exactly `1`.
fn exposed(environment: &Environment) -> Vec<Role> {
    let is_allowed = |role: &Role| environment.get(&role.nonloopback_variable()) == Some("1");
    Role::ALL.into_iter().filter(is_allowed).collect()
}

/// A URL as a message may repeat it: what stands before an `@` may be a password.
fn shown(url: &str) -> String {
    if url.contains('@') { "the URL".to_owned() } else { format!("{url:?}") }
}

/// An upstream as a URL, or why it is none.
pub fn upstream(written: &str) -> Result<Url, &'static str> {
    let scheme = "has no scheme: write http://host:port";
    let url = Url::parse(written).map_err(|_| scheme)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user's name or password, which would not be kept secret here: write http://host:port");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("holds a query or a fragment: write http://host:port");
    }
    if url.host_str().is_none() { Err("names no host") } else { Ok(url) }
}

/// Whether a `Host` header could say this.
fn is_host(written: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    written.chars().all(plain) && Url::parse(&format!("http://{written}")).is_ok()
}
