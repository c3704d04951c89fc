//! The columns of the streams that the house writes, which are there before the first line is.

use query::FieldType::{self, Boolean, Integer, Json, Number, Text};

const SESSIONS: &[(&str, FieldType)] = &[
    ("schema", Text),
    ("session_id", Text),
    ("timestamp", Text),
    ("daemon", Text),
    ("kind", Text),
    ("model", Text),
    ("provider", Text),
    ("prompt", Text),
    ("iterations", Integer),
    ("max_iterations", Integer),
    ("final_verdict", Text),
    ("attempts", Json),
    ("artifact", Json),
    ("grounded_in_roster", Boolean),
    ("duration_ms", Integer),
    ("lake_version", Integer),
    ("context", Json),
    ("failure", Json),
];

const CHATS: &[(&str, FieldType)] = &[
    ("schema", Text),
    ("run_id", Text),
    ("span_id", Text),
    ("iteration", Integer),
    ("timestamp", Text),
    ("daemon", Text),
    ("model", Text),
    ("provider", Text),
    ("provider_model", Text),
    ("role", Text),
    ("temperature", Number),
    ("max_tokens", Integer),
    ("messages", Integer),
    ("system", Text),
    ("prompt", Text),
    ("answer", Text),
    ("finish_reason", Text),
    ("prompt_tokens", Integer),
    ("completion_tokens", Integer),
    ("latency_ms", Integer),
    ("ok", Boolean),
    ("failure", Json),
];

const SEARCHES: &[(&str, FieldType)] = &[
    ("schema", Text),
    ("run_id", Text),
    ("span_id", Text),
    ("iteration", Integer),
    ("timestamp", Text),
    ("daemon", Text),
    ("index", Text),
    ("mode", Text),
    ("rerank", Boolean),
    ("query", Text),
    ("k", Integer),
    ("filter", Text),
    ("exact", Boolean),
    ("ef_search", Integer),
    ("lake_version", Integer),
    ("found", Integer),
    ("results", Json),
    ("latency_ms", Integer),
    ("ok", Boolean),
    ("failure", Json),
];

const VALIDATIONS: &[(&str, FieldType)] = &[
    ("schema", Text),
    ("run_id", Text),
    ("span_id", Text),
    ("iteration", Integer),
    ("timestamp", Text),
    ("daemon", Text),
    ("kind", Text),
    ("validator", Text),
    ("verdict", Text),
    ("error", Json),
    ("findings", Integer),
    ("grounded_in_roster", Boolean),
    ("lake_version", Integer),
    ("proposal", Text),
    ("context", Text),
    ("latency_ms", Integer),
    ("ok", Boolean),
    ("failure", Json),
];

/// The columns of a stream; none of one that is not the house's own.
pub(super) fn columns(stream: &str) -> &'static [(&'static str, FieldType)] {
    match stream {
        "sessions" => SESSIONS,
        "chats" => CHATS,
        "searches" => SEARCHES,
        "validations" => VALIDATIONS,
        _ => &[],
    }
}
