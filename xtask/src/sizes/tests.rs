use std::collections::BTreeMap;

use super::{check_crates, check_files};

fn check(files: &[(&str, usize)], ratchet: &[(&str, usize)]) -> Vec<String> {
    let ratchet = ratchet.iter().map(|(file, length)| ((*file).to_owned(), *length)).collect();
    check_files(&files.iter().copied().collect(), &ratchet)
}

#[test]
fn a_file_may_have_five_hundred_lines_and_no_more() {
    assert!(check(&[("crates/a/src/b.rs", 500)], &[]).is_empty());
    assert_eq!(check(&[("crates/a/src/b.rs", 501)], &[]).len(), 1);
    assert_eq!(check(&[("crates/a/src/lib.rs", 81)], &[]).len(), 1);
}

#[test]
fn the_ratchet_only_turns_down() {
    assert!(check(&[("crates/a/src/b.rs", 600)], &[("crates/a/src/b.rs", 600)]).is_empty());
    assert_eq!(check(&[("crates/a/src/b.rs", 601)], &[("crates/a/src/b.rs", 600)]).len(), 1);
    assert_eq!(check(&[("crates/a/src/b.rs", 599)], &[("crates/a/src/b.rs", 600)]).len(), 1);
}

#[test]
fn a_crate_is_the_sum_of_its_files() {
    let files: Vec<(String, usize)> = (0..17).map(|part| (format!("crates/a/src/part{part}.rs"), 490)).collect();
    let files: BTreeMap<&str, usize> = files.iter().map(|(file, length)| (file.as_str(), *length)).collect();
    assert_eq!(check_crates(&files), ["sizes: crates/a has 8330 lines; a crate stays within 8000"]);
}
