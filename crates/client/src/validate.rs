//! Checks of what language models propose, and what is kept of runs.

use base::AsOf;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::body::Body;
use crate::client::{Client, json_request, request, segment, with_query};
use crate::error::{Error, Result};

/// An artifact to be checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Validate {
    /// `fill`, `email` or `playbook`.
    pub kind: String,
    /// What is checked.
    pub artifact: Map<String, Value>,
    /// What the caller knows: the contract, the candidate. It takes the place of `_context` in the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
    /// A version, a time (RFC 3339) or a tag; the newest version when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// The run that it is a step of, and is recorded with; the one that the headers name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// What is said of an artifact that passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValidationReport {
    /// Who checked, such as `staffing.fill`.
    pub validator: String,
    /// What was noticed.
    pub findings: Vec<ValidationFinding>,
    /// How long the checks took.
    pub elapsed_ms: u64,
}

/// Something noticed about an artifact that passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValidationFinding {
    /// `warning` or `info`.
    pub severity: String,
    /// The member that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was noticed.
    pub message: String,
}

/// Why an artifact does not count: an object with exactly one key, `Schema`, `Completeness`, `Consistency` or `Policy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ValidationError(pub Map<String, Value>);

/// What came of a check.
#[derive(Debug, Clone, PartialEq)]
pub enum Validated {
    /// It counts.
    Passed(ValidationReport),
    /// It does not.
    Failed(ValidationError),
}

/// A proposal to be made, checked and corrected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Iterate {
    /// `fill`, `email` or `playbook`.
    pub kind: String,
    /// What is wanted, in words.
    pub prompt: String,
    /// What the model is told first; a description of the kind when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The model.
    pub model: String,
    /// Who runs it; as the model's name says when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// What the caller knows: the contract, the candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
    /// How many attempts there are, 1 to 10; 3 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_iterations: Option<u32>,
    /// How freely words are chosen; 0.2 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Tokens of each answer at most; 4,096 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Names the session; the header `X-Lakehouse-Trace-Id`, or a new name, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Shows the model workers whom the checks let pass; it is shown nobody when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrieve: Option<Retrieve>,
    /// A version, a time (RFC 3339) or a tag; the newest version when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
}

/// Which workers the model is shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Retrieve {
    /// An index whose items are workers by their ids; the nearest are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// What is searched for in the index; the prompt when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// A condition in SQL over the table of workers.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// How many are shown, 1 to 200; 20 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<usize>,
}

/// A proposal that counts, and how it came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Iterated {
    /// The proposal.
    pub artifact: Map<String, Value>,
    /// What was noticed about it.
    pub validation: ValidationReport,
    /// How many attempts it took.
    pub iterations: usize,
    /// The attempts: `iteration`, `raw`, `status` with `kind` and `error`, `span_id`.
    pub history: Vec<Map<String, Value>>,
    /// The session's name.
    pub trace_id: String,
}

/// A session without a proposal that counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotIterated {
    /// Why.
    pub error: String,
    /// How many attempts there were.
    pub iterations: usize,
    /// The attempts.
    pub history: Vec<Map<String, Value>>,
    /// The session's name.
    pub trace_id: String,
}

/// What came of a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Iteration {
    /// A proposal counts.
    Accepted(Iterated),
    /// None does, or somebody could not be reached.
    Failed(NotIterated),
}

/// Further checks of the artifacts of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorPack {
    /// Its name.
    pub name: String,
    /// The kind that it checks.
    pub kind: String,
    /// What artifacts look like, as JSON Schema; `pattern`, `$ref` and the like are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// Statements in SQL whose every row is an offence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertions: Vec<PackAssertion>,
}

/// A statement in SQL whose every row is an offence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackAssertion {
    /// A SELECT over the lake, as of the version that the artifact is checked by.
    pub sql: String,
    /// Where `$1`, `$2`, … stand in the artifact, as JSON Pointers; one step `*` stands for each item of a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<String>,
    /// What an offence is: `Completeness`, `Consistency` or `Policy`.
    pub error: String,
    /// Why, in words that a model can act on.
    pub reason: String,
}

/// The packs of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorPacks {
    /// The packs, by name.
    pub packs: Vec<ValidatorPack>,
    /// The version.
    pub version: u64,
}

/// A pack that judges from a version on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackKept {
    /// The pack.
    pub name: String,
    /// The kind that it checks.
    pub kind: String,
    /// The version.
    pub version: u64,
}

/// A pack to be tried on sessions that were accepted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct TryPack {
    /// The pack, kept or not.
    pub pack: ValidatorPack,
    /// How many sessions, the newest ones; 100 when absent, at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// What a pack would have said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackTried {
    /// How many artifacts were looked at.
    pub checked: usize,
    /// How many the pack lets pass.
    pub passed: usize,
    /// The others: `session_id` and `error`.
    pub failed: Vec<Map<String, Value>>,
}

/// Lines that are durable in a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamAppended {
    /// The stream.
    pub stream: String,
    /// The number of the fragment that holds them.
    pub fragment: u64,
    /// How many they are.
    pub lines: usize,
}

/// Lines of a stream, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamLines {
    /// The lines.
    pub lines: Vec<Map<String, Value>>,
    /// The number of the fragment that they end with, behind which the next ones come; 0 before anything was appended.
    pub fragment: u64,
}

impl Client {
    /// Checks an artifact.
    pub async fn validate(&self, asked: &Validate) -> Result<Validated> {
        let answer = self.send(json_request("/v1/validate", asked)?).await?;
        if answer.status() == StatusCode::UNPROCESSABLE_ENTITY {
            return Ok(Validated::Failed(read(answer.into_body()).await?));
        }
        Ok(Validated::Passed(read(self.accepted(answer).await?.into_body()).await?))
    }

    /// Lets a model propose until a proposal counts, or the attempts are used up.
    pub async fn iterate(&self, asked: &Iterate) -> Result<Iteration> {
        let answer = self.send(json_request("/v1/iterate", asked)?).await?;
        let (status, plain) = (answer.status(), is_plain(&answer));
        if plain && matches!(status, StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_GATEWAY) {
            return Ok(Iteration::Failed(read(answer.into_body()).await?));
        }
        Ok(Iteration::Accepted(read(self.accepted(answer).await?.into_body()).await?))
    }

    /// Keeps a pack of further checks, which judge from its version on.
    pub async fn put_pack(&self, pack: &ValidatorPack) -> Result<PackKept> {
        self.post_json("/v1/validate/packs", pack).await
    }

    /// The packs of a version, or of the newest one.
    pub async fn packs(&self, as_of: Option<&AsOf>) -> Result<ValidatorPacks> {
        self.get_json(&with_query("/v1/validate/packs", &[("as_of", as_of.map(AsOf::to_string))])).await
    }

    /// Drops a pack.
    pub async fn drop_pack(&self, name: &str) -> Result<()> {
        let path = format!("/v1/validate/packs/{}", segment(name));
        self.call(request(Method::DELETE, &path, Body::empty())?).await.map(drop)
    }

    /// Tries a pack on sessions that were accepted; nothing is changed.
    pub async fn try_pack(&self, asked: &TryPack) -> Result<PackTried> {
        self.post_json("/v1/validate/packs/dry_run", asked).await
    }

    /// The last `count` lines of a stream, up to 1000.
    pub async fn evidence(&self, stream: &str, count: usize) -> Result<StreamLines> {
        self.get_json(&format!("/v1/evidence/{}?last={count}", segment(stream))).await
    }

    /// The lines of a stream behind a fragment.
    pub async fn evidence_after(&self, stream: &str, fragment: u64) -> Result<StreamLines> {
        self.get_json(&format!("/v1/evidence/{}?after={fragment}", segment(stream))).await
    }

    /// Appends lines, each a JSON object as it shall lie there, to a stream.
    pub async fn append_evidence(&self, stream: &str, lines: &[&str]) -> Result<StreamAppended> {
        let path = format!("/v1/evidence/{}", segment(stream));
        let mut asked = request(Method::POST, &path, Body::from(lines.join("\n")))?;
        let media_type = http::HeaderValue::from_static("application/x-ndjson");
        asked.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
        self.call_json(asked).await
    }
}

/// Whether an answer is one of a session, and not a refusal.
fn is_plain(answer: &http::Response<Body>) -> bool {
    answer.headers().get(http::header::CONTENT_TYPE).is_some_and(|given| given == "application/json")
}

async fn read<T: DeserializeOwned>(body: Body) -> Result<T> {
    serde_json::from_slice(&body.bytes().await?).map_err(|why| Error::Answer(why.to_string()))
}
