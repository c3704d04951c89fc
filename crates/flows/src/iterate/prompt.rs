//! What the model is told: the task, the candidates, and what was wrong with its last proposal.

use ::validate::{Kind, ValidationError};
use models::{ChatRequest, Format, Message};
use serde_json::{Map, Value, json};

use super::request::Iteration;
use super::session::Status;

/// How much of a refused answer the model sees again, in characters.
const SHOWN: usize = 2_000;

/// A conversation that grows by what was wrong last.
pub(super) struct Conversation {
    opening: Vec<Message>,
    /// The last answer and what was wrong with it; earlier ones are dropped, so that a small model has room.
    correction: Vec<Message>,
    /// The schema of a proposal.
    form: Map<String, Value>,
    /// Whether the server is asked to hold the model to that form, as it does not find it by itself.
    is_held: bool,
}

impl Conversation {
    /// The opening: what a proposal looks like, what is wanted, what is known, and who may be proposed.
    pub(super) fn begin(asked: &Iteration, candidates: Option<&[Value]>) -> Self {
        let system = asked.system.clone().unwrap_or_else(|| shape(asked.kind).to_owned());
        let mut wanted = asked.prompt.clone();
        if let Some(context) = &asked.context {
            wanted.push_str(&format!("\n\nWhat is known: {}", json!(context)));
        }
        if let Some(candidates) = candidates {
            wanted.push_str("\n\nEligible workers, one per line. Propose only these:\n");
            let lines: Vec<String> = candidates.iter().map(Value::to_string).collect();
            wanted.push_str(if lines.is_empty() { "(none)".to_owned() } else { lines.join("\n") }.as_str());
        }
        let form = form(asked, candidates.unwrap_or_default());
        let opening = vec![Message::system(system), Message::user(wanted)];
        Self { opening, correction: Vec::new(), form, is_held: false }
    }

    /// The next question.
    pub(super) fn request(&self, asked: &Iteration) -> ChatRequest {
        ChatRequest {
            model: asked.full_model(),
            messages: self.opening.iter().chain(&self.correction).cloned().collect(),
            temperature: Some(asked.temperature),
            max_tokens: Some(asked.max_tokens),
            format: self.is_held.then(|| Format::Schema(self.form.clone())),
            trace_id: Some(asked.trace_id.clone()),
        }
    }

    /// Takes in what came of an answer.
    pub(super) fn correct(&mut self, said: &str, status: &Status) {
        let wrong = match &status.error {
            Some(error) => format!(
                "Your answer was refused by the validator: {}. Answer with the corrected JSON object only.",
                json!(error)
            ),
            None => {
                "Your answer held no JSON object. Answer with one JSON object only, without any other text.".to_owned()
            }
        };
        self.is_held |= matches!(status.error, None | Some(ValidationError::Schema { .. }));
        let said = said.chars().take(SHOWN).collect::<String>();
        // Some servers refuse an empty message.
        let said = if said.trim().is_empty() { "(nothing)".to_owned() } else { said };
        self.correction = vec![Message::assistant(said), Message::user(wrong)];
    }
}

/// What a proposal of a kind looks like.
fn shape(kind: Kind) -> &'static str {
    match kind {
        Kind::Fill => {
            "You propose workers for a staffing contract. Answer with one JSON object only: \
             {\"fills\": [{\"candidate_id\": \"W-1\", \"name\": \"Full Name\"}]}. Propose exactly as many different \
             workers as target_count says, active ones whose city, state and role are the contract's."
        }
        Kind::Email => {
            "You write a message to a worker. Answer with one JSON object only: {\"to\": \"address or number\", \
             \"subject\": \"at most 78 characters\", \"body\": \"text\", \"kind\": \"email\" or \"sms\"}. An SMS body has at \
             most 160 characters. Name no pay and no social security number."
        }
        Kind::Playbook => {
            "You write down how a contract was filled. Answer with one JSON object only: {\"operation\": \"fill: …\", \
             \"endorsed_names\": [\"Full Name\"], \"target_count\": 1, \"fingerprint\": \"…\"}."
        }
    }
}

/// The schema that a server is asked to hold a model to which does not find it by itself. A fill has as many workers as are
/// wanted, of those that the model was shown.
fn form(asked: &Iteration, candidates: &[Value]) -> Map<String, Value> {
    let text = |most: u64| json!({ "type": "string", "minLength": 1, "maxLength": most });
    let (properties, required) = match asked.kind {
        Kind::Fill => {
            let wanted = asked.context.as_ref().and_then(|context| context.get("target_count")?.as_u64()).unwrap_or(1);
            let one_of = |member: &str| match candidates.iter().map(|one| one[member].clone()).collect::<Vec<_>>() {
                shown if shown.is_empty() || shown.contains(&Value::Null) => text(40),
                shown => json!({ "enum": shown }),
            };
            let worker = json!({
                "type": "object",
                "properties": { "candidate_id": one_of("candidate_id"), "name": one_of("name") },
                "required": ["candidate_id", "name"],
                "additionalProperties": false,
            });
            let fills = json!({ "type": "array", "items": worker, "minItems": wanted, "maxItems": wanted });
            (json!({ "fills": fills }), json!(["fills"]))
        }
        Kind::Email => {
            let properties = json!({ "to": text(80), "subject": text(78), "body": text(2_000) });
            (properties, json!(["to", "subject", "body"]))
        }
        Kind::Playbook => {
            let names = json!({ "type": "array", "items": text(80), "minItems": 1, "maxItems": 2 });
            let count = json!({ "type": "integer", "minimum": 1 });
            let members = json!({
                "operation": text(200), "endorsed_names": names, "target_count": count, "fingerprint": text(80),
            });
            (members, json!(["operation", "endorsed_names", "target_count", "fingerprint"]))
        }
    };
    let members = [("type", json!("object")), ("properties", properties), ("required", required)];
    let closed = ("additionalProperties", Value::Bool(false));
    members.into_iter().chain([closed]).map(|(name, value)| (name.to_owned(), value)).collect()
}
