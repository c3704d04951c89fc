//! English plurals, and their singulars: by rules, and by lists of those words that go by others.

#[cfg(test)]
mod tests;

/// Words that end in s. The plural of most of them has es.
const IN_S: &str = "acropolis alias asbestos atlas bias biogas canvas christmas cosmos gas ibis iris lens mantis \
                    marquis metropolis news pancreas pelvis rhinoceros summons thermos trellis";
/// Words in u and i, whose plural has us and is: most words in us and is are no plurals.
const IN_U_OR_I: &str = "adieu alibi api apu bayou bikini caribou cli cpu emoji emu flu gnu gpu graffiti gui guru haiku \
                         hindu israeli iraqi khaki kiwi kpi kudu martini maxi menu mini milieu okapi pakistani rabbi \
                         safari salami sari semi ski sku snafu spaghetti sudoku taxi tofu tpu tsunami tutu uri wiki \
                         yeti yogi zebu zucchini zulu";
/// Words in ie, whose plural is no other than that of words in y.
const IN_IE: &str = "auntie beanie bestie birdie boogie bourgeoisie brasserie brownie budgie calorie camaraderie collie \
                     cookie cutie dearie die eyrie foodie freebie genie goalie goodie groupie hippie hoagie hoodie \
                     indie junkie lassie laddie lie lingerie magpie menagerie movie necktie newbie oldie patisserie pie \
                     pixie potpie prairie quickie reverie roadie rookie rotisserie selfie smoothie sortie sweetie \
                     talkie techie tie townie veggie weenie yuppie zombie";
/// Words in che, sse, xe and oe, beside those in ch, ss, x and o.
const IN_E: &str = "ache apache avalanche axe backache bellyache brioche cache cartouche cliche creche douche earache \
                    headache heartache microfiche moustache mustache niche panache pastiche porsche psyche quiche \
                    stomachache toothache tranche \
                    bouillabaisse crevasse demitasse finesse fosse impasse lacrosse mousse posse \
                    pickaxe poleaxe \
                    aloe backhoe canoe floe foe hoe horseshoe mistletoe oboe overshoe roe shoe sloe snowshoe throe \
                    tiptoe toe woe";
/// Words in use, beside those in us.
const IN_USE: &str = "abuse accuse amuse bemuse disabuse excuse hypotenuse misuse muse overuse peruse recluse reuse ruse \
                      use";
/// Words in sis.
const IN_SIS: &str = "analysis antithesis catalysis crisis diagnosis dialysis electrolysis emphasis hydrolysis hypothesis \
                      metamorphosis metastasis nemesis neurosis oasis paralysis parenthesis photosynthesis prognosis \
                      prosthesis psychoanalysis psychosis symbiosis synopsis synthesis thesis thrombosis urinalysis";
/// Words in f and fe.
const IN_F: &str = "bookshelf calf elf half hoof housewife knife loaf midwife scarf self shelf thief wharf wife wolf";

/// What becomes of an ending.
struct Rule {
    plural: &'static str,
    singular: &'static str,
    /// Words that only lose their s instead.
    but: &'static str,
}

const fn rule(plural: &'static str, singular: &'static str, but: &'static str) -> Rule {
    Rule { plural, singular, but }
}

/// The first that fits counts.
const RULES: &[Rule] = &[
    rule("aies", "aie", ""),
    rule("eies", "eie", ""),
    rule("ies", "y", IN_IE),
    rule("ches", "ch", IN_E),
    rule("shes", "sh", ""),
    rule("sses", "ss", IN_E),
    rule("xes", "x", IN_E),
    rule("tzes", "tz", ""),
    rule("zzes", "zz", ""),
    rule("oes", "o", IN_E),
    rule("auses", "ause", ""),
    rule("ouses", "ouse", ""),
    rule("fuses", "fuse", ""),
    rule("uses", "us", IN_USE),
    rule("eaus", "eau", ""),
    rule("us", "us", IN_U_OR_I),
    rule("is", "is", IN_U_OR_I),
    rule("ss", "ss", ""),
    rule("s", "", ""),
];

/// An English plural as its singular, by rules that know no other language; other words as they are.
pub(crate) fn singular(word: String) -> String {
    if word.len() < 4 {
        return word;
    }
    if let Some(singular) = irregular(&word) {
        return singular.to_owned();
    }
    let Some(less_s) = word.strip_suffix('s') else { return word };
    if is_in(IN_S, &word) {
        return word;
    }
    let less_es = less_s.strip_suffix('e').unwrap_or_default();
    if is_in(IN_S, less_es) {
        return less_es.to_owned();
    }
    in_sis(less_es).or_else(|| in_f(less_es)).unwrap_or_else(|| by_rule(&word, less_s))
}

fn by_rule(word: &str, less_s: &str) -> String {
    let fit = RULES.iter().find_map(|rule| Some((word.strip_suffix(rule.plural)?, rule)));
    let fit = fit.filter(|(_, rule)| !is_in(rule.but, less_s));
    fit.map_or_else(|| less_s.to_owned(), |(stem, rule)| format!("{stem}{}", rule.singular))
}

/// Analyses, and the like.
fn in_sis(less_es: &str) -> Option<String> {
    let singular = || format!("{less_es}is");
    (less_es.ends_with('s') && is_in(IN_SIS, &singular())).then(singular)
}

/// Halves and wives, and the like.
fn in_f(less_es: &str) -> Option<String> {
    let stem = less_es.strip_suffix('v')?;
    ["f", "fe"].into_iter().map(|end| format!("{stem}{end}")).find(|singular| is_in(IN_F, singular))
}

/// Those that change more than their end.
fn irregular(plural: &str) -> Option<&'static str> {
    Some(match plural {
        "women" => "woman",
        "children" => "child",
        "feet" => "foot",
        "teeth" => "tooth",
        "geese" => "goose",
        "mice" => "mouse",
        "oxen" => "ox",
        "foremen" => "foreman",
        "firemen" => "fireman",
        "policemen" => "policeman",
        "journeymen" => "journeyman",
        "chairmen" => "chairman",
        "salesmen" => "salesman",
        "craftsmen" => "craftsman",
        "fishermen" => "fisherman",
        "criteria" => "criterion",
        "phenomena" => "phenomenon",
        "indices" => "index",
        "matrices" => "matrix",
        "vertices" => "vertex",
        "appendices" => "appendix",
        "quizzes" => "quiz",
        _ => return None,
    })
}

fn is_in(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split_ascii_whitespace().any(|listed| listed == word)
}
