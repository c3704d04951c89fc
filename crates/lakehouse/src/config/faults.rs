//! What is wrong with the settings: all of it at once.

use std::fmt;

/// One sentence per fault, in the order in which they were found; never empty when returned as an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl Faults {
    pub fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    /// `Ok` when nothing was found.
    pub fn settled(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings have {} fault{}:", self.0.len(), if self.0.len() == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}
