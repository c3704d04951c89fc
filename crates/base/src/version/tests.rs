use super::{AsOf, Version};

fn shape(text: &str) -> &'static str {
    match text.parse::<AsOf>() {
        Ok(AsOf::Version(_)) => "version",
        Ok(AsOf::Time(_)) => "time",
        Ok(AsOf::Tag(_)) => "tag",
        Err(_) => "refused",
    }
}

#[test]
fn the_three_ways_to_name_a_version_are_told_apart() {
    assert_eq!(shape("42"), "version");
    assert_eq!(shape("2026-11-22T08:00:00Z"), "time");
    assert_eq!(shape("2026-11-22T08:00:00.5+01:00"), "time");
    assert_eq!(shape("before-merge_1.0"), "tag");
    for bad in ["", "-1", "1.5", "+1", "2026-11-22", "tag with space", "99999999999999999999", &"a".repeat(65)] {
        assert_eq!(shape(bad), "refused", "{bad:?}");
    }
}

#[test]
fn json_takes_numbers_and_strings() {
    let read = |json: &str| serde_json::from_str::<AsOf>(json).ok();
    assert_eq!(read("7"), Some(AsOf::Version(Version(7))));
    assert_eq!(read("\"7\""), Some(AsOf::Version(Version(7))));
    assert_eq!(read("-7"), None);
    assert_eq!(read("1.5"), None);
    assert_eq!(read("true"), None);
}
