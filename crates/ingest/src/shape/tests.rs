use base::Fault;
use catalog::ColumnType;

use super::*;

fn columns(text: &str) -> Vec<NewColumn> {
    let column = |part: &str| {
        let (name, ty) = part.split_once(':').unwrap_or((part, "s"));
        let ty = if ty == "i" { ColumnType::Int64 } else { ColumnType::String };
        NewColumn { name: name.into(), ty }
    };
    text.split(' ').map(column).collect()
}

/// Columns that were added since the load arrived are marked with `+`.
fn fitted(table: &str, given: &str, evolve: Evolve) -> Option<(Vec<Option<usize>>, Vec<usize>)> {
    let table: Vec<Column> = (1..)
        .zip(columns(table))
        .map(|(id, NewColumn { name, ty })| Column { id, name, ty, nullable: true, pii: None })
        .collect();
    let arrived: Vec<i32> =
        table.iter().filter(|column| !column.name.starts_with('+')).map(|column| column.id).collect();
    let table: Vec<Column> =
        table.into_iter().map(|column| Column { name: column.name.trim_start_matches('+').into(), ..column }).collect();
    match fit(&"t".parse().unwrap(), &table, &columns(given), evolve, &arrived) {
        Ok(Fit { known, added }) => Some((known, added)),
        Err(error) => {
            assert_eq!(error.code(), "catalog.schema_drift");
            None
        }
    }
}

#[test]
fn without_evolution_columns_are_the_same_in_the_same_order() {
    assert_eq!(fitted("a b", "a b", Evolve::None), Some((vec![Some(0), Some(1)], vec![])));
    for given in ["b a", "a", "a b c", "a c", "a b:i"] {
        assert_eq!(fitted("a b", given, Evolve::None), None, "{given}");
    }
}

#[test]
fn further_columns_are_added_and_missing_ones_are_null() {
    assert_eq!(fitted("a b", "a b c d:i", Evolve::Add), Some((vec![Some(0), Some(1)], vec![2, 3])));
    assert_eq!(fitted("a b", "c a b", Evolve::Add), Some((vec![Some(1), Some(2)], vec![0])));
    assert_eq!(fitted("a b c", "c a", Evolve::Add), Some((vec![Some(1), None, Some(0)], vec![])));
    assert_eq!(fitted("a b c", "a c d", Evolve::Add), Some((vec![Some(0), None, Some(1)], vec![2])));
    assert_eq!(fitted("a b", "a n:i", Evolve::Add), Some((vec![Some(0), None], vec![1])));
}

#[test]
fn what_may_be_a_rename_and_another_type_stay_drift() {
    for given in ["a bb c", "aa b c", "a b cc", "a b c B", "a:i b c", "a b:i c d"] {
        assert_eq!(fitted("a b c", given, Evolve::Add), None, "{given}");
    }
}

#[test]
fn columns_that_others_added_meanwhile_are_no_old_names() {
    assert_eq!(fitted("a b", "a c", Evolve::Add), None);
    assert_eq!(fitted("a +b", "a c", Evolve::Add), Some((vec![Some(0), None], vec![1])));
    assert_eq!(fitted("a +b", "a b", Evolve::Add), Some((vec![Some(0), Some(1)], vec![])));
    assert_eq!(fitted("a b +c", "a c", Evolve::Add), Some((vec![Some(0), None, Some(1)], vec![])));
}
