//! Which word comes next: the likeliest, or one that the dice choose among the likely.

/// So many words are looked at first; a form that takes none of them is asked for all that it takes.
const LOOKED_AT: usize = 64;
/// No other words have a chance than those that are likeliest and together as likely as this.
const LIKELY: f64 = 0.9;
/// How freely words are chosen where nothing is said about it, as the model's makers advise.
const USUAL_TEMPERATURE: f64 = 0.2;

/// How a word is chosen.
pub(crate) struct Choice {
    temperature: f64,
}

/// A word and how likely it is: the larger, the likelier.
type Candidate = (u32, f32);

impl Choice {
    /// Of this temperature; 0 is always the likeliest word.
    pub(crate) fn of(temperature: Option<f64>) -> Self {
        Self { temperature: temperature.unwrap_or(USUAL_TEMPERATURE) }
    }

    /// The next word of those that `takes` lets through; none if there is none. The dice roll a number from 0 to 1.
    pub(crate) fn choose(
        &self,
        likelihoods: &[f32],
        takes: impl Fn(u32) -> bool,
        roll: impl FnOnce() -> f64,
    ) -> Option<u32> {
        let all = || (0..).zip(likelihoods.iter().copied());
        let looked_at = likeliest(all().collect(), LOOKED_AT);
        let mut taken: Vec<Candidate> = looked_at.into_iter().filter(|(word, _)| takes(*word)).collect();
        if taken.is_empty() {
            taken = likeliest(all().filter(|(word, _)| takes(*word)).collect(), LOOKED_AT);
        }
        if self.temperature == 0.0 { Some(taken.first()?.0) } else { self.by_chance(&taken, roll()) }
    }

    fn by_chance(&self, candidates: &[Candidate], rolled: f64) -> Option<u32> {
        let first = f64::from(candidates.first()?.1);
        let chance = |(word, likely): &Candidate| (*word, ((f64::from(*likely) - first) / self.temperature).exp());
        let chances: Vec<(u32, f64)> = candidates.iter().map(chance).collect();
        let all: f64 = chances.iter().map(|(_, chance)| chance).sum();
        let (mut sum, mut kept) = (0.0, 0);
        while sum < LIKELY * all && kept < chances.len() {
            sum += chances[kept].1;
            kept += 1;
        }
        let mut left = rolled * sum;
        let chosen = chances[..kept].iter().find(|(_, chance)| {
            left -= chance;
            left < 0.0
        });
        chosen.or(chances.first()).map(|(word, _)| *word)
    }
}

/// The likeliest of them, the likeliest first; of those that are equally likely the first.
fn likeliest(mut candidates: Vec<Candidate>, count: usize) -> Vec<Candidate> {
    let order = |a: &Candidate, b: &Candidate| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if candidates.len() > count {
        candidates.select_nth_unstable_by(count, order);
        candidates.truncate(count);
    }
    candidates.sort_unstable_by(order);
    candidates
}
