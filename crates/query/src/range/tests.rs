use datafusion::logical_expr::{col, lit};

use super::*;

fn check(filter: Expr, begin: u64, end: u64) {
    let range = Range::until(Version(9)).within(std::slice::from_ref(&filter), "version");
    assert_eq!((range.begin.0, range.end.0), (begin, end), "{filter}");
}

#[test]
fn comparisons_bound_it_from_either_side() {
    check(col("version").eq(lit(5_i64)), 5, 6);
    check(col("version").lt(lit(5_i64)), 0, 5);
    check(col("version").lt_eq(lit(5_i32)), 0, 6);
    check(lit(5_i64).lt(col("version")), 6, 10);
    check(col("version").gt_eq(lit(7_u64)), 7, 10);
    check(col("version").between(lit(2_i64), lit(4_i64)), 2, 5);
    check(col("version").eq(lit(-1_i64)), 0, 0);
    check(col("version").gt(lit(-1_i64)), 0, 10);
}

#[test]
fn whatever_else_bounds_nothing() {
    check(col("version").not_eq(lit(5_i64)), 0, 10);
    check(col("author").eq(lit(5_i64)), 0, 10);
    check(col("version").lt(lit(5.5)), 0, 10);
    check(col("version").eq(lit(ScalarValue::Int64(None))), 0, 10);
    check(col("version").eq(lit(1_i64)).or(col("version").eq(lit(2_i64))), 0, 10);
}

#[test]
fn reading_goes_down_and_ends() {
    let range = Range::until(Version(9)).within(&[col("version").gt(lit(6_i64))], "version");
    assert_eq!((range.at_most(2), range.is_empty()), (2, false));
    let range = range.before(Version(8));
    assert_eq!((range.at_most(2), range.before(Version(7)).is_empty()), (1, true));
    assert!(Range::until(Version(0)).is_empty());
}
