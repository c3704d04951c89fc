use std::path::PathBuf;

use super::Location;

fn s3(bucket: &str, prefix: &str) -> Option<Location> {
    Some(Location::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

fn directory(path: &str) -> Option<Location> {
    Some(Location::Directory(PathBuf::from(path)))
}

#[test]
fn a_location_is_read_from_what_people_write() {
    let check = |text: &str, expected: Option<Location>| assert_eq!(text.parse().ok(), expected, "{text:?}");
    check("./lake", directory("./lake"));
    check("/abs/lake", directory("/abs/lake"));
    check("file:///abs/lake", directory("/abs/lake"));
    check("memory:", Some(Location::Memory));
    check("s3://bucket", s3("bucket", ""));
    check("s3://bucket/", s3("bucket", ""));
    check("s3://bucket/a/b/", s3("bucket", "a/b"));
    check("s3://", None);
    check("s3:///a", None);
    check("s3://bucket/a//b", None);
    check("s3://bucket/../b", None);
    check("http://host/x", None);
    check("", None);
}

#[test]
fn a_location_shows_as_it_is_written() {
    for text in ["./lake", "/abs/lake", "s3://bucket", "s3://bucket/a/b", "memory:"] {
        assert_eq!(text.parse::<Location>().expect("a location").to_string(), text);
    }
}
