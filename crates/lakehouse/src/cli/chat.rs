//! `lakehouse chat`: what can be asked of language models.

use clap::Args;

use super::Target;

#[derive(Debug, Args)]
pub struct Chat {
    /// What is said to the model; without it, standard input
    pub text: Option<String>,
    /// The model: `<provider>/<model>`, `<model>:cloud`, or a model of chatd.default_provider
    #[arg(long, value_name = "NAME", required_unless_present = "providers")]
    pub model: Option<String>,
    /// What is said to it first
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// How freely words are chosen, 0 to 2 [default: as the provider likes]
    #[arg(long, value_name = "NUMBER")]
    pub temperature: Option<f64>,
    /// Tokens of the answer at most [default: as the provider likes]
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u32>,
    /// A JSON Schema that the answer follows
    #[arg(long, value_name = "JSON", value_parser = schema)]
    pub schema: Option<serde_json::Value>,
    /// Say who can be asked, and ask nobody
    #[arg(long, conflicts_with_all = ["text", "model", "system", "temperature", "max_tokens", "schema"])]
    pub providers: bool,
    #[command(flatten)]
    pub target: Target,
}

fn schema(text: &str) -> Result<serde_json::Value, String> {
    let schema: serde_json::Value = serde_json::from_str(text).map_err(|why| why.to_string())?;
    if schema.is_object() { Ok(schema) } else { Err("a JSON Schema is an object".to_owned()) }
}
