//! The models: the one that reads texts, and Ollama.

use std::sync::Arc;

use models::{Error, Models, Overflow};

use crate::finding::{Finding, chain};
use crate::mend::word;
use crate::subject::Subject;

/// What the models of servers begin with when Ollama runs them.
const OLLAMA: &str = "ollama/";

/// The default model of texts, and Ollama where a setting names it.
pub async fn checks(subject: &Subject) -> [Finding; 2] {
    let config = models::Config { download: false, ..subject.models.clone() };
    let models = match Models::new(&config, subject.routing.clone()) {
        Ok(models) => models,
        Err(error) => return [broken("model", &error), Finding::skipped("ollama", "the models are not settled")],
    };
    [model(subject, &models).await, ollama(subject, &models).await]
}

fn broken(name: &'static str, error: &Error) -> Finding {
    let why = "no text becomes a vector without a model; `lakehouse config show` tells which is set";
    Finding::failed(name, chain(error), why)
}

/// Whether the default model is here, is the pinned one, and reads a text.
async fn model(subject: &Subject, models: &Models) -> Finding {
    let read = async {
        let model = models.embedder(None)?;
        let card = model.card().await?;
        model.embed(&[Arc::from("a text")], Overflow::Error).await?;
        Ok::<_, Error>(card)
    };
    match read.await {
        Ok(card) => {
            Finding::ok("model", format!("{} reads a text; its fingerprint is {}", card.name, card.fingerprint))
        }
        Err(Error::NoWeights { reasons }) => absent(subject, &reasons),
        Err(error) => broken("model", &error),
    }
}

fn absent(subject: &Subject, reasons: &str) -> Finding {
    // That nothing is fetched is the doctor's way, and no reason.
    let reasons = reasons.trim_end_matches("; models.download is off");
    let why = "searches by meaning and new texts wait for it; everything else works without";
    let fix = match subject.models.download && subject.models.model_dir.is_none() {
        true => "lakehouse embed \"a text\"",
        false => "lakehouse embed \"a text\" --set models.model_dir=./model",
    };
    let detail = format!("{} cannot be used: {reasons}", subject.routing.default_model);
    Finding::failed("model", detail, why).mended_by(fix.to_owned())
}

/// Whether Ollama answers and, where the default model is one of its, has it and can load it.
async fn ollama(subject: &Subject, models: &Models) -> Finding {
    const NAME: &str = "ollama";
    if !subject.uses_ollama {
        return Finding::skipped(NAME, "no setting names it");
    }
    let known = match models.of_ollama().await {
        Ok(known) => known,
        Err(error) => {
            let why = "texts and conversations that are sent to it are refused";
            return Finding::failed(NAME, chain(&error), why).mended_by("ollama serve".to_owned());
        }
    };
    let Some(model) = subject.routing.default_model.strip_prefix(OLLAMA) else {
        return Finding::ok(NAME, format!("it answers, and has {} models", known.len()));
    };
    let has = |known: &String| known == model || known.strip_suffix(":latest") == Some(model);
    if !known.iter().any(has) {
        let why = "it is the default model of texts";
        let detail = format!("it answers, and has no model {model}");
        return Finding::failed(NAME, detail, why).mended_by(format!("ollama pull {}", word(model)));
    }
    match models.embedder(None) {
        Ok(embedder) => match embedder.embed(&[Arc::from("a text")], Overflow::Error).await {
            Ok(_) => Finding::ok(NAME, format!("it answers, and {model} is loaded")),
            Err(error) => unloaded(model, &error),
        },
        Err(error) => unloaded(model, &error),
    }
}

fn unloaded(model: &str, error: &Error) -> Finding {
    let why = "it is the default model of texts";
    let detail = format!("{model} does not load: {}", chain(error));
    Finding::failed("ollama", detail, why).mended_by(format!("ollama run {}", word(model)))
}
