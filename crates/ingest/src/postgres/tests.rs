use super::Postgres;
use super::batch::{day, moment};
use super::statement::bare;
use storage::Secret;

#[test]
fn days_and_times_count_from_another_year() {
    assert_eq!(day(&0_i32.to_be_bytes()), Some(10_957));
    assert_eq!(moment(&1_i64.to_be_bytes()), Some(946_684_800_000_001));
    for infinite in [i32::MAX, i32::MIN, 3_000_000] {
        assert_eq!(day(&infinite.to_be_bytes()), None);
    }
    for infinite in [i64::MAX, i64::MIN] {
        assert_eq!(moment(&infinite.to_be_bytes()), None);
    }
}

#[test]
fn a_statement_ends_with_its_last_word() {
    let cases = [
        ("SELECT 1", "SELECT 1"),
        (" SELECT 1 ; ; -- over\n", " SELECT 1"),
        ("SELECT 1 -- one; two", "SELECT 1"),
        ("SELECT a FROM b -- the half\rWHERE c -- all\r\n;", "SELECT a FROM b -- the half\rWHERE c"),
        ("SELECT 1 /* a /* b */ ; */ ; ", "SELECT 1"),
        ("SELECT ';' ; -- '", "SELECT ';'"),
        ("SELECT 'it''s -- ' ;", "SELECT 'it''s -- '"),
        (r"SELECT e'\' -- ' ;", r"SELECT e'\' -- '"),
        (r"SELECT note'\' -- '", r"SELECT note'\'"),
        ("SELECT \"a;--\"\"\" ;", "SELECT \"a;--\"\"\""),
        ("SELECT $a$ $$ ; -- $a$ ;", "SELECT $a$ $$ ; -- $a$"),
        ("SELECT a$b$ ; -- $b$", "SELECT a$b$"),
        ("SELECT $1 ; --", "SELECT $1"),
        ("SELECT 'é' -- é", "SELECT 'é'"),
        ("SELECT 'open ; --", "SELECT 'open ; --"),
        ("/* never closed", ""),
        (" ; ", ""),
    ];
    for (given, expected) in cases {
        assert_eq!(bare(given), expected, "{given:?}");
    }
}

#[test]
fn settings_that_could_not_work_are_told_by_their_key() {
    const AUTHORITY: &str = include_str!("../../../../testdata/tls/authority.pem");
    let flaw = |url: &str, authorities: Option<&str>| {
        Postgres { url: Secret::new(url), authorities: authorities.map(str::to_owned), ..Postgres::default() }.flaw()
    };
    let url = |mode: &str| format!("postgres://ada:sslmode=verify-full@db/crm{mode}");
    assert_eq!(flaw(&url("?sslmode=verify-full"), Some(AUTHORITY)), None);
    for mode in ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=disable"] {
        assert_eq!(flaw(&url(mode), None), None, "{mode}");
        assert!(flaw(&url(mode), Some(AUTHORITY)).is_some_and(|(key, _)| key == "authorities"), "{mode}");
    }
    for wrong in ["", "postgres:///crm", "db/crm", "mysql://db/crm", &url("?sslmode=verify-ca"), &url("?sslmod=prefer")]
    {
        assert!(flaw(wrong, None).is_some_and(|(key, _)| key == "url"), "{wrong}");
    }
    let half = &AUTHORITY[..AUTHORITY.len() / 2];
    for pem in ["", "no certificate", half, &format!("{AUTHORITY}{half}")] {
        assert!(flaw(&url("?sslmode=verify-full"), Some(pem)).is_some_and(|(key, _)| key == "authorities"), "{pem}");
    }
}
