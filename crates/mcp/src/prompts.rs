//! Ways to begin: prompts for the main jobs.

use rmcp::model::{ErrorData, GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::Value;

/// A prompt: its name, what it is for, what has to be filled in, and its text with `{argument}` in it.
struct Form {
    name: &'static str,
    says: &'static str,
    arguments: &'static [(&'static str, &'static str)],
    text: &'static str,
}

const FORMS: [Form; 3] = [
    Form {
        name: "explore_dataset",
        says: "Get to know a dataset",
        arguments: &[("dataset", "The dataset")],
        text: "Get to know the dataset {dataset}: read its manifest, look at a few rows, count them, find columns with \
               missing or odd values, and say in ten lines what it holds and what it could answer.",
    },
    Form {
        name: "ask_the_lake",
        says: "Answer a question with SQL, and show how",
        arguments: &[("question", "The question, in plain words")],
        text: "Answer this from the lake: {question}\nFind the datasets that matter, write one SQL statement, run it, and \
               give the answer with the statement and the version it was asked at. Say so if the data cannot answer it.",
    },
    Form {
        name: "find_people",
        says: "Find who fits a need, and check the proposal",
        arguments: &[("index", "The index of people"), ("need", "Who is needed, where and how many")],
        text: "Find people for this need: {need}\nSearch the index {index} by its meaning, look the best up with SQL, \
               propose a fill and check it with validate; mend what it finds. Name only people that a tool has named.",
    },
];

/// Every prompt, always in this order.
pub fn all() -> Vec<Prompt> {
    let prompt = |form: &Form| {
        let argument =
            |(name, says): &(&str, &str)| PromptArgument::new(*name).with_description(*says).with_required(true);
        Prompt::new(form.name, Some(form.says), Some(form.arguments.iter().map(argument).collect()))
    };
    FORMS.iter().map(prompt).collect()
}

/// A prompt with its arguments filled in.
pub fn get(name: &str, arguments: &JsonObject) -> Result<GetPromptResult, ErrorData> {
    let wrong = |why: String| ErrorData::invalid_params(why, None);
    let form = FORMS.iter().find(|form| form.name == name);
    let form = form.ok_or_else(|| wrong(format!("there is no prompt {name:?}")))?;
    let mut text = form.text.to_owned();
    for (argument, _) in form.arguments {
        let given = arguments.get(*argument).and_then(Value::as_str);
        let given = given.ok_or_else(|| wrong(format!("the argument {argument} is missing")))?;
        text = text.replace(&format!("{{{argument}}}"), given);
    }
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).with_description(form.says))
}
