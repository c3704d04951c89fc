use super::singular;

/// Singulars and plurals of which the one finds the other.
const PAIRS: &str = "forklift/forklifts delivery/deliveries nurse/nurses box/boxes bench/benches employee/employees \
    shoe/shoes size/sizes glass/glasses bus/buses minibus/minibuses status/statuses bonus/bonuses virus/viruses \
    campus/campuses focus/focuses census/censuses menu/menus guru/gurus cpu/cpus gas/gases alias/aliases bias/biases \
    canvas/canvases cache/caches ache/aches headache/headaches coach/coaches beach/beaches niche/niches axe/axes \
    tax/taxes movie/movies cookie/cookies pie/pies city/cities potato/potatoes tomato/tomatoes hero/heroes toe/toes \
    photo/photos video/videos lens/lenses house/houses warehouse/warehouses cause/causes clause/clauses use/uses \
    excuse/excuses abuse/abuses fuse/fuses case/cases base/bases database/databases phase/phases dose/doses rose/roses \
    nose/noses response/responses expense/expenses course/courses license/licenses exercise/exercises prize/prizes \
    waltz/waltzes quiz/quizzes buzz/buzzes class/classes process/processes address/addresses business/businesses \
    boss/bosses mousse/mousses analysis/analyses crisis/crises thesis/theses hypothesis/hypotheses diagnosis/diagnoses \
    taxi/taxis api/apis wiki/wikis area/areas camera/cameras schema/schemas idea/ideas key/keys toy/toys plateau/plateaus \
    bureau/bureaus wife/wives knife/knives half/halves shelf/shelves wolf/wolves thief/thieves child/children \
    woman/women foot/feet tooth/teeth mouse/mice foreman/foremen criterion/criteria index/indexes index/indices \
    matrix/matrices dish/dishes brush/brushes garage/garages bridge/bridges page/pages service/services nerve/nerves \
    sleeve/sleeves glove/gloves valve/valves iris/irises welder/welders scale/scales degree/degrees bee/bees zoo/zoos";

/// Words that are no plurals, or that a plural of another word must not be taken for.
const APART: &str = "bus bu|news new|lens len|julie july|marie mary|louise louis|gas ga|bass base|thesis these|us use|\
    menus minus|case casis|dose dos|caches cash|planes plan|princess prince|needles needless|does doe";

#[test]
fn a_plural_is_its_singular_and_a_singular_itself() {
    for pair in PAIRS.split_ascii_whitespace() {
        let (one, many) = pair.split_once('/').unwrap();
        assert_eq!(singular(many.to_owned()), one, "{many}");
        assert_eq!(singular(one.to_owned()), one, "{one}");
    }
}

#[test]
fn words_that_only_look_alike_stay_apart() {
    for pair in APART.split('|') {
        let (one, other) = pair.split_once(' ').unwrap();
        assert_ne!(singular(one.to_owned()), singular(other.to_owned()), "{pair}");
    }
    for whole in ["this", "his", "as", "gas", "analysis", "glass", "status", "tennis", "boss"] {
        assert_eq!(singular(whole.to_owned()), whole);
    }
}
