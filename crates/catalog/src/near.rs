//! Names that could have been meant by one that is not known.

/// How many are answered.
const NEAR_NAMES: usize = 3;

/// Those of the known names that differ little from `wanted`, nearest first.
pub(crate) fn near(wanted: &str, known: impl Iterator<Item = String>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let scored = known.filter_map(|known| {
        let score = strsim::jaro_winkler(&wanted, &known.to_lowercase());
        (score > 0.8).then_some((score, known))
    });
    let mut scored: Vec<(f64, String)> = scored.collect();
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    scored.into_iter().take(NEAR_NAMES).map(|(_, known)| known).collect()
}
