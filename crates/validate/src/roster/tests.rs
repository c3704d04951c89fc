use super::{Roster, RosterBuilder, Row, Standing, alike, folded, hash};

fn roster(rows: &[Row<'_>]) -> Roster {
    let mut builder = RosterBuilder::new(true);
    rows.iter().for_each(|row| builder.push(row).unwrap());
    builder.finish()
}

#[test]
fn ids_are_found_without_regard_to_case() {
    let row = |id| Row { id, name: Some("Jane"), ..Row::default() };
    let roster = roster(&[row("W-1"), row("w-ÄÖ"), row("W-2")]);
    for (asked, found) in [("w-1", "W-1"), ("W-äö", "w-ÄÖ"), ("W-2", "W-2")] {
        assert_eq!(roster.get(asked).map(|worker| worker.id()), Some(found));
    }
    for absent in ["", "W-", "W-11", "W1", "1"] {
        assert!(!roster.knows(absent), "{absent}");
    }
    assert!(!Roster::default().knows("W-1"));
    assert!(!Roster::absent("workers").knows("W-1"));
}

#[test]
fn unknown_is_not_empty() {
    let known = Row { id: "a", name: Some(""), city: Some(""), blacklist: Some(""), ..Row::default() };
    let roster = roster(&[known, Row { id: "b", ..Row::default() }]);
    let (a, b) = (roster.get("A").unwrap(), roster.get("B").unwrap());
    assert_eq!((a.name(), a.city(), a.blacklist().unwrap().count()), (Some(""), Some(""), 0));
    assert_eq!((b.name(), b.city(), b.blacklist().is_none()), (None, None, true));
    assert_eq!(b.standing(), Standing::Unknown);
}

#[test]
fn a_blacklist_is_split_and_trimmed() {
    let roster = roster(&[Row { id: "a", blacklist: Some(" C-1; ;C-2 ;"), ..Row::default() }]);
    assert_eq!(roster.get("a").unwrap().blacklist().unwrap().collect::<Vec<_>>(), ["C-1", "C-2"]);
}

#[test]
fn a_worker_listed_twice_is_disputed_unless_both_say_the_same() {
    let row = |id, city, active| Row { id, city: Some(city), active: Some(active), ..Row::default() };
    let roster =
        roster(&[row("a", "Toledo", true), row("b", "Toledo", true), row("A", "Toledo", true), row("B", "Lima", true)]);
    assert_eq!(roster.get("a").unwrap().standing(), Standing::Active);
    assert_eq!(roster.get("b").unwrap().standing(), Standing::Disputed);
}

#[test]
fn many_workers_take_little_room_and_all_are_found() {
    for room in [0, 50_000, usize::MAX] {
        check_many(RosterBuilder::new(true).with_room(room));
    }
}

fn check_many(mut builder: RosterBuilder) {
    for number in 0..50_000 {
        let (id, name) = (format!("W-{number}"), format!("Worker Number {number}"));
        let city = ["Toledo", "Lima", "Akron"][number % 3];
        let row = Row { id: &id, name: Some(&name), city: Some(city), active: Some(true), ..Row::default() };
        builder.push(&row).unwrap();
    }
    let roster = builder.finish();
    assert!(roster.bytes() < 50_000 * 100, "{} bytes", roster.bytes());
    for number in (0..50_000).step_by(7) {
        let id = format!("w-{number}");
        assert_eq!(roster.get(&id).unwrap().name(), Some(format!("Worker Number {number}").as_str()));
    }
    assert!(!roster.knows("W-50000"));
}

#[test]
fn texts_are_alike_however_their_marks_are_composed() {
    let (composed, decomposed) = ("\u{141}\u{f3}d\u{17a}", "\u{142}o\u{301}DZ\u{301}");
    assert!(alike(composed, decomposed) && folded(composed) == folded(decomposed));
    assert_eq!(hash(composed), hash(decomposed));
    assert!(!alike(composed, "\u{141}odz"));
}
