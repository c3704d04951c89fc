use proptest::prelude::*;

use super::*;

/// The score in the plainest way.
fn plain(texts: &[Option<String>], seen: &[bool], query: &str, row: usize) -> f64 {
    let held = |row: usize| -> Vec<String> { texts[row].as_deref().map_or(Vec::new(), |text| words(text).collect()) };
    let all: Vec<Vec<String>> =
        (0..texts.len()).filter(|row| seen[*row]).map(held).filter(|text| !text.is_empty()).collect();
    let mean = all.iter().map(Vec::len).sum::<usize>() as f64 / all.len() as f64;
    let (own, mut score, mut done) = (held(row), 0.0, Vec::new());
    for word in words(query) {
        let count = own.iter().filter(|held| **held == word).count() as f64;
        if count == 0.0 || done.contains(&word) {
            continue;
        }
        let holding = all.iter().filter(|text| text.contains(&word)).count() as f64;
        let rarity = (1.0 + (all.len() as f64 - holding + 0.5) / (holding + 0.5)).ln();
        score += rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * own.len() as f64 / mean));
        done.push(word);
    }
    score
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However the texts are divided, the scores are those of the formula over all of them that are seen.
    #[test]
    fn scores_are_those_of_the_formula_over_all_texts(
        rows in prop::collection::vec((prop::option::weighted(0.8, "[abc]( [abcx]){0,6}"), prop::bool::weighted(0.8)), 1..40),
        query in "[abcy]( [abc]){0,3}",
        cut in 0..40_usize,
    ) {
        let (texts, seen): (Vec<Option<String>>, Vec<bool>) = rows.into_iter().unzip();
        let cut = cut.min(texts.len());
        let parts = [(0, &texts[..cut]), (cut, &texts[cut..])];
        let parts = parts.map(|(begin, texts)| (begin, Postings::build(texts.iter().map(Option::as_deref))));
        let (asked, is_seen) = (Query::new(&query).unwrap(), |begin: usize| { let seen = &seen; move |row: u32| seen[begin + row as usize] });
        let mut statistics = Statistics::new(&asked);
        parts.iter().for_each(|(begin, part)| statistics.count(&asked, part, is_seen(*begin)));
        let mut found = vec![0.0; texts.len()];
        for (begin, part) in &parts {
            let scores = asked.scores(part, &statistics, is_seen(*begin));
            prop_assert!(scores.is_sorted_by(|a, b| a.0 < b.0));
            scores.iter().for_each(|(row, score)| found[begin + *row as usize] = *score);
        }
        for (row, found) in found.iter().enumerate() {
            let wanted = if seen[row] { plain(&texts, &seen, &query, row) } else { 0.0 };
            prop_assert!((wanted - found).abs() <= 1e-9, "{row}: {found} instead of {wanted}");
        }
    }
}

#[test]
fn the_text_with_the_rarer_word_comes_first() {
    let texts = ["drives a truck", "drives a forklift", "drives a bus", "a forklift, a truck and a bus"];
    let (postings, query) =
        (Postings::build(texts.iter().map(|text| Some(*text))), Query::new("forklift drivers drive").unwrap());
    let mut statistics = Statistics::new(&query);
    statistics.count(&query, &postings, |_| true);
    let mut scores = query.scores(&postings, &statistics, |_| true);
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    assert_eq!(scores.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 3, 0, 2]);
    let none = Query::new(" … ").unwrap();
    assert!(none.is_empty() && query.scores(&Postings::default(), &statistics, |_| true).is_empty());
}

#[test]
fn as_many_different_words_are_looked_for_as_a_query_may_have() {
    let text = |words: usize| (0..words).map(|word| format!("w{word} w0 ")).collect::<String>();
    assert_eq!(Query::new(&text(MAX_WORDS)).unwrap().words.len(), MAX_WORDS);
    assert!(Query::new(&text(MAX_WORDS + 1)).is_none());
}
