use super::*;

fn check(deleted: &[u64], begin: u64, rows: u64, left: &[(usize, usize)]) {
    match access(deleted, begin, rows) {
        RowGroupAccess::Skip => assert!(left.is_empty(), "{deleted:?}"),
        RowGroupAccess::Scan => assert_eq!(left, [(0, usize::try_from(rows).unwrap())], "{deleted:?}"),
        RowGroupAccess::Selection(selection) => {
            let mut at = 0;
            let mut found = Vec::new();
            for selector in selection.iter() {
                if !selector.skip {
                    found.push((at, at + selector.row_count));
                }
                at += selector.row_count;
            }
            assert_eq!((found.as_slice(), at as u64), (left, rows), "{deleted:?}");
        }
    }
}

#[test]
fn what_is_left_of_a_row_group_begins_anew_with_it() {
    check(&[], 100, 10, &[(0, 10)]);
    check(&[100], 100, 10, &[(1, 10)]);
    check(&[109], 100, 10, &[(0, 9)]);
    check(&[103, 104, 107], 100, 10, &[(0, 3), (5, 7), (8, 10)]);
    check(&[0, 1, 2], 0, 3, &[]);
}

#[test]
fn a_location_means_the_path_that_it_ends_with() {
    let paths = HashSet::from(["tables/t-1/data/a.parquet", "tables/t-2/data/a.parquet"]);
    assert_eq!(path_of("file:///old/lake/tables/t-1/data/a.parquet", &paths), Some("tables/t-1/data/a.parquet"));
    assert_eq!(path_of("s3://b/tables/x/tables/t-2/data/a.parquet", &paths), Some("tables/t-2/data/a.parquet"));
    assert_eq!(path_of("file:///lake/mytables/t-1/data/a.parquet", &paths), None);
    assert_eq!(path_of("a.parquet", &paths), None);
}
