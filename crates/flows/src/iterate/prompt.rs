//! What the model is told: the task, the candidates, and what was wrong with its last proposal.

use ::validate::Kind;
use models::{ChatRequest, Message};
use serde_json::json;

use super::request::Iteration;
use super::session::Status;

/// How much of a refused answer the model sees again, in characters.
const SHOWN: usize = 2_000;

/// A conversation that grows by what was wrong last.
pub(super) struct Conversation {
    opening: Vec<Message>,
    /// The last answer and what was wrong with it; earlier ones are dropped, so that a small model has room.
    correction: Vec<Message>,
}

impl Conversation {
    /// The opening: what a proposal looks like, what is wanted, what is known, and who may be proposed.
    pub(super) fn begin(asked: &Iteration, candidates: Option<&str>) -> Self {
        let system = asked.system.clone().unwrap_or_else(|| shape(asked.kind).to_owned());
        let mut wanted = asked.prompt.clone();
        if let Some(context) = &asked.context {
            wanted.push_str(&format!("\n\nWhat is known: {}", json!(context)));
        }
        if let Some(candidates) = candidates {
            wanted.push_str("\n\nEligible workers, one per line. Propose only these:\n");
            wanted.push_str(if candidates.is_empty() { "(none)" } else { candidates });
        }
        Self { opening: vec![Message::system(system), Message::user(wanted)], correction: Vec::new() }
    }

    /// The next question.
    pub(super) fn request(&self, asked: &Iteration) -> ChatRequest {
        ChatRequest {
            model: asked.full_model(),
            messages: self.opening.iter().chain(&self.correction).cloned().collect(),
            temperature: Some(asked.temperature),
            max_tokens: Some(asked.max_tokens),
            format: None,
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
