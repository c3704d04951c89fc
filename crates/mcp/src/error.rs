//! Why a tool has no answer, in words that a model can act on.

use base::{Facts, Fault, Kind};

use crate::fence::between;

/// The result of everything in mcp.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a tool has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments are not what the tool takes.
    #[error("the arguments are refused: {0}")]
    Arguments(String),
    /// The tool took too long.
    #[error("there was no answer within {seconds} seconds: ask for less, such as fewer rows or a narrower WHERE")]
    Late {
        /// The time it had.
        seconds: u64,
    },
    /// The gateway refused or could not be asked.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The transport could not be opened.
    #[error("the agent's connection cannot be used: {0}")]
    Transport(String),
}

impl Fault for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Arguments(_) => Kind::Invalid,
            Self::Late { .. } | Self::Transport(_) => Kind::Unavailable,
            Self::Client(inner) => inner.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Arguments(_) => "mcp.bad_arguments",
            Self::Late { .. } => "mcp.late",
            Self::Client(inner) => inner.code(),
            Self::Transport(_) => "mcp.transport",
        }
    }

    fn facts(&self) -> Facts {
        match self {
            Self::Client(inner) => inner.facts(),
            _ => Facts::new(),
        }
    }
}

impl Error {
    /// What a model is told: the code that the gateway gave, and fenced, since a message may quote rows and names that
    /// stand in the lake, what happened and what else is known.
    pub(crate) fn told(&self) -> String {
        let problem = match self {
            Self::Client(inner) => inner.problem(),
            _ => None,
        };
        let code = problem.map(|problem| problem.code.as_str()).filter(|code| !code.is_empty());
        let code = code.unwrap_or(self.code());
        let mut said = serde_json::Map::from_iter([("error".to_owned(), self.to_string().into())]);
        said.extend(self.facts());
        format!("{code}\n{}", between(code, &serde_json::Value::Object(said).to_string()))
    }
}
