use super::*;
use crate::demo::sample::wages;

#[test]
fn every_carried_text_belongs_to_an_occupation_with_wages() {
    let paid: BTreeSet<String> = wages().into_iter().map(|wage| wage.code).collect();
    let titles = titles();
    assert_eq!(titles.len(), 388);
    let skills = skills();
    assert_eq!(skills.len(), 65);
    for skill in &skills {
        let code = skill.metadata.as_ref().expect("metadata")["occupation_code"].as_str().expect("text");
        assert!(paid.contains(code), "{code} of {:?} is paid nowhere", skill.text);
    }
    let ids: BTreeSet<&str> = titles.iter().chain(&skills).map(|item| item.id.as_str()).collect();
    assert_eq!(ids.len(), titles.len() + skills.len());
}

#[test]
fn words_are_shared_without_regard_to_case_and_short_ones_do_not_count() {
    assert!(shared_words("who moves Pallets in a warehouse", "Drives in a forklift, who?").is_empty());
    assert_eq!(shared_words("moves Pallets", "pallets, moved").into_iter().collect::<Vec<_>>(), ["pallets"]);
}
