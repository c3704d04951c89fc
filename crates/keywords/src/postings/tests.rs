use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Rows with a word are those whose text holds it, as often as it does; rows far apart included.
    #[test]
    fn every_word_of_every_text_is_found(
        texts in prop::collection::vec(prop::option::weighted(0.4, "[abc]( [abcx]){0,6}"), 0..400),
    ) {
        let postings = Postings::build(texts.iter().map(Option::as_deref));
        prop_assert_eq!(postings.rows(), texts.len());
        for word in ["a", "b", "c", "x", "absent"] {
            let count = |text: &String| text.split(' ').filter(|own| *own == word).count() as u32;
            let counts = texts.iter().map(|text| text.as_ref().map_or(0, count));
            let wanted: Vec<(u32, u32)> = (0..).zip(counts).filter(|(_, count)| *count > 0).collect();
            prop_assert_eq!(postings.rows_with(word).collect::<Vec<_>>(), wanted);
        }
        for (row, text) in (0..).zip(&texts) {
            let length = text.as_ref().map_or(0, |text| text.split(' ').count() as u32);
            prop_assert_eq!(postings.length(row), length);
        }
    }
}

#[test]
fn a_word_that_stands_often_and_far_apart_is_counted() {
    let often = "x ".repeat(20_000);
    let mut texts = vec![None; 70_000];
    (texts[5], texts[69_999]) = (Some(often.as_str()), Some("x"));
    let postings = Postings::build(texts.into_iter());
    assert_eq!(postings.rows_with("x").collect::<Vec<_>>(), [(5, 20_000), (69_999, 1)]);
    assert_eq!((postings.length(5), postings.length(6), postings.length(80_000)), (20_000, 0, 0));
}
