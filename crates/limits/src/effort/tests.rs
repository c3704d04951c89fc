use arrow::array::StringArray;
use arrow::datatypes::Field;
use datafusion::common::config::ConfigOptions;
use datafusion::functions::string::levenshtein;

use super::*;
use crate::pace::Pace;

fn distances(texts: [ArrayRef; 2], pace: &Pace) -> Result<ColumnarValue> {
    let mut settings = ConfigOptions::new();
    settings.extensions.insert(pace.clone());
    let rows = texts[0].len();
    let text = Arc::new(Field::new("text", DataType::Utf8, true));
    Distance(levenshtein()).invoke_with_args(ScalarFunctionArgs {
        args: texts.map(ColumnarValue::Array).into(),
        arg_fields: vec![Arc::clone(&text), text],
        number_rows: rows,
        return_field: Arc::new(Field::new("distance", DataType::Int32, true)),
        config_options: Arc::new(settings),
    })
}

fn column(texts: impl IntoIterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(texts.into_iter().collect::<StringArray>())
}

#[test]
fn long_texts_are_compared_until_nobody_waits() {
    let pace = Pace::default();
    let long = || column((0..3).map(|_| Some("x".repeat(15_000))));
    pace.end();
    let refused = distances([long(), long()], &pace).unwrap_err();
    assert!(refused.to_string().contains("cancelled"), "{refused}");
}

#[test]
fn a_batch_is_compared_in_pieces() {
    assert_eq!(fitting(&[0, 1, 2]), 3);
    assert_eq!(fitting(&[MOST_PAIRS / 2; 5]), 2);
    assert_eq!(fitting(&[MOST_PAIRS + 1, 1]), 1, "never none");
}
