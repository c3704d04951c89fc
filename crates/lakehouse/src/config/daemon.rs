//! A role's section: where it listens, beside the settings of the crate that does its work.

use std::net::SocketAddr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const BIND: &str = "bind";
const BIND_DOC: &str =
    "Address and port; port 0 takes a free one. Outside loopback it needs a token and `LH_<ROLE>_ALLOW_NONLOOPBACK=1`.";

/// `bind` and the fields of `T`, in one section.
#[derive(Debug, Clone, Default)]
pub struct Daemon<T> {
    pub bind: Option<SocketAddr>,
    pub settings: T,
}

impl<T: Default> Daemon<T> {
    /// Default settings at this address.
    pub fn at(bind: SocketAddr) -> Self {
        Self { bind: Some(bind), settings: T::default() }
    }
}

impl<T: Serialize> Serialize for Daemon<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        let mut table = toml::Table::try_from(&self.settings).map_err(S::Error::custom)?;
        if let Some(bind) = self.bind {
            table.insert(BIND.to_owned(), bind.to_string().into());
        }
        // The S3 server has a section of its own.
        table.remove("s3");
        table.serialize(to)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Daemon<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(from)?;
        let bind = table.remove(BIND).as_ref().map(address::<D::Error>).transpose()?;
        let settings = T::deserialize(table).map_err(|error| D::Error::custom(error.message()))?;
        Ok(Self { bind, settings })
    }
}

/// `127.0.0.1:3110`, `[::1]:3110` or `localhost:3110`.
fn address<E: Error>(written: &toml::Value) -> Result<SocketAddr, E> {
    let text = written.as_str().unwrap_or_default().replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| E::custom("bind takes an address and a port, such as 127.0.0.1:3110"))
}

impl<T: JsonSchema> JsonSchema for Daemon<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        let bind = serde_json::json!({ "type": "string", "description": BIND_DOC });
        let properties = schema.ensure_object().entry("properties").or_insert_with(|| serde_json::json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert(BIND.to_owned(), bind);
            properties.remove("s3");
        }
        schema
    }
}
