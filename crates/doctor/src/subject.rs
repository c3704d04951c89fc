//! What is looked at: the settings as far as checks need them.

use std::net::SocketAddr;
use std::path::PathBuf;

use base::{DatasetName, Seams};
use models::Routing;
use storage::Location;

/// What the doctor looks at.
pub struct Subject {
    /// Where the lake lies.
    pub lake: Location,
    /// How its bytes are kept.
    pub storage: storage::Config,
    /// How its log is kept.
    pub catalog: catalog::Config,
    /// How it is asked.
    pub query: query::Config,
    /// The table of workers.
    pub roster: DatasetName,
    /// The models; nothing is fetched, whatever these say.
    pub models: models::Config,
    /// Which of them a name means.
    pub routing: Routing,
    /// Whether a setting names an Ollama server or one of its models.
    pub uses_ollama: bool,
    /// Each role with the address at which it would listen.
    pub ports: Vec<(&'static str, SocketAddr)>,
    /// Where derived files are kept.
    pub cache: PathBuf,
    /// Time and chance.
    pub seams: Seams,
}
