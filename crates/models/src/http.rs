//! One client for every server of models: bounded, timed, never redirected.

use crate::config::Provider;
use crate::error::Result;

/// A provider that can be called.
pub(crate) struct Server {
    name: String,
    settings: Provider,
}

impl Server {
    /// Checks the settings of the provider `name`.
    pub(crate) fn settle(name: &str, settings: &Provider) -> Result<Self> {
        Ok(Self { name: name.to_owned(), settings: settings.clone() })
    }

    /// What it speaks.
    pub(crate) fn kind(&self) -> crate::config::Kind {
        self.settings.kind
    }

    /// The provider's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}
