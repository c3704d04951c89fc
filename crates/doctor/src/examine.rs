//! All checks, in their order.

use crate::finding::Finding;
use crate::subject::Subject;
use crate::{lake, machine, model, ports};

/// What [`examine`] looks at, in its order.
pub const CHECKS: [&str; 11] =
    ["toolchain", "disk", "fsync", "lake", "conditional_put", "clock", "roster", "packs", "model", "ollama", "ports"];

/// Looks at everything.
pub async fn examine(subject: &Subject) -> Vec<Finding> {
    let mut findings = vec![machine::toolchain().await, machine::disk(subject)];
    findings.extend(lake::checks(subject).await);
    findings.extend(model::checks(subject).await);
    findings.push(ports::check(&subject.ports).await);
    findings
}
