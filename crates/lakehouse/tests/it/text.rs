//! `embed`, `search` and `vectors`, on a lake and behind a gateway.

use serde_json::json;

use crate::command::Desk;

const POINTS: &str = "{\"id\": \"a\", \"vector\": [0, 0, 1], \"city\": \"Toledo\"}\n\
    {\"id\": \"b\", \"vector\": [0, 3, 0], \"city\": \"Lima\", \"rate\": 18}\n";
const SKILLS: &str = "id,text,occupation_code\n\
    s1,Drives a forklift between racks and loading docks,53-7051\n\
    s2,Draws blood without hurting,31-9097\n\
    s3,\"Kneads dough, and watches the ovens\",51-3011\n";

fn desk_with_points() -> anyhow::Result<Desk> {
    let desk = Desk::new()?;
    desk.write("points.ndjson", POINTS)?;
    let create = ["vectors", "create", "points", "--dimension", "3", "--distance", "euclidean"];
    desk.run(&create)?.ended(0)?;
    desk.run(&["vectors", "add", "points", "points.ndjson"])?.ended(0)?;
    Ok(desk)
}

#[test]
fn a_file_of_vectors_becomes_items() -> anyhow::Result<()> {
    let desk = desk_with_points()?;
    let again = desk.run(&["vectors", "add", "points", "points.ndjson", "--json"])?.ended(0)?.json()?;
    assert_eq!((&again["added"], &again["updated"], &again["length"]), (&json!(0), &json!(2), &json!(2)));
    let shown = desk.run(&["vectors", "show", "points", "--json"])?.ended(0)?.json()?;
    assert_eq!((&shown["length"], &shown["distance"]), (&json!(2), &json!("euclidean")));
    let item = desk.run(&["vectors", "get", "points", "b", "--json"])?.ended(0)?.json()?;
    assert_eq!(item["vector"], json!([0.0, 3.0, 0.0]));
    assert_eq!(item["metadata"], json!({ "city": "Lima", "rate": 18 }));
    assert!(desk.run(&["vectors", "list"])?.ended(0)?.out.contains("points\t2\t3\teuclidean"));
    Ok(())
}

#[test]
fn sql_joins_what_a_vector_finds() -> anyhow::Result<()> {
    let desk = desk_with_points()?;
    desk.write("cities.csv", "city,state\nToledo,OH\nLima,OH\n")?;
    desk.run(&["ingest", "cities", "cities.csv"])?.ended(0)?;
    let sql = "SELECT p.id, c.state, p.rate FROM vector_search('points', ARRAY[0, 2.5, 0], 2) p \
               JOIN cities c ON c.city = p.city ORDER BY p.distance";
    let answer = desk.run(&["sql", sql, "--json"])?.ended(0)?.json()?;
    assert_eq!(answer["rows"], json!([["b", "OH", 18], ["a", "OH", null]]));
    Ok(())
}

#[test]
fn a_version_keeps_what_an_index_held_and_indexes_are_merged() -> anyhow::Result<()> {
    let desk = desk_with_points()?;
    desk.write("cities.csv", "city\nToledo\n")?;
    let loaded = desk.run(&["ingest", "cities", "cities.csv", "--seal", "points", "--json"])?.ended(0)?.json()?;
    desk.run(&["vectors", "remove", "points", "--filter", r#"{"city": {"prefix": "Li"}}"#])?.ended(0)?;
    desk.run(&["vectors", "remove", "points", "--filter", "city=Lima"])?.ended(2)?;
    desk.run(&["vectors", "remove", "points"])?.ended(2)?;
    let version = loaded["version"].to_string();
    let sql = "SELECT count(*) FROM vector_search('points', ARRAY[0, 2.5, 0], 9)";
    for (asked, count) in [(vec!["sql", sql, "--json", "--as-of", &version], 2), (vec!["sql", sql, "--json"], 1)] {
        assert_eq!(desk.run(&asked)?.ended(0)?.json()?["rows"], json!([[count]]), "{asked:?}");
    }
    let sealed = desk.run(&["vectors", "seal", "points"])?.ended(0)?.out;
    assert!(sealed.contains("now holds the 1 items of points"), "{sealed}");
    desk.run(&["vectors", "create", "all", "--dimension", "3"])?.ended(0)?;
    let merged = desk.run(&["vectors", "merge", "points", "all", "--clear-source"])?.ended(0)?.out;
    assert!(merged.contains("1 added, 0 replaced: 1 in all, 0 in points"), "{merged}");
    let measured = desk.run(&["vectors", "recall", "all"])?.ended(0)?.out;
    assert!(measured.starts_with("1.0000 of the nearest 10 to 1 items of all are found"), "{measured}");
    assert_eq!(desk.run(&["vectors", "show", "all", "--json"])?.ended(0)?.json()?["recall"]["sample"], 1);
    Ok(())
}

#[test]
fn items_and_indexes_go_away() -> anyhow::Result<()> {
    let desk = desk_with_points()?;
    let removed = desk.run(&["vectors", "remove", "points", "a", "nobody", "--json"])?.ended(0)?.json()?;
    assert_eq!((&removed["deleted"], &removed["missing"], &removed["length"]), (&json!(1), &json!(1), &json!(1)));
    desk.run(&["vectors", "get", "points", "a"])?.ended(4)?;
    desk.run(&["vectors", "delete", "points"])?.ended(0)?;
    desk.run(&["vectors", "show", "points"])?.ended(4)?;
    Ok(())
}

#[test]
fn refusals_end_with_the_code_that_says_what_to_do() -> anyhow::Result<()> {
    let desk = desk_with_points()?;
    desk.write("wide.ndjson", "{\"id\": \"c\", \"vector\": [1, 2, 3]}\n{\"id\": \"d\", \"vector\": [1, 2]}\n")?;
    let refused = desk.run(&["vectors", "add", "points", "wide.ndjson"])?.ended(1)?.err;
    assert!(refused.contains("items[1]") && refused.contains("lines 1 to 2"), "{refused}");
    desk.run(&["vectors", "get", "points", "c"])?.ended(4)?;
    desk.write("torn.csv", "id,vector\na\n")?;
    assert!(desk.run(&["vectors", "add", "points", "torn.csv"])?.ended(1)?.err.contains("line 2"));
    desk.run(&["vectors", "create", "points", "--dimension", "3"])?.ended(5)?;
    desk.run(&["vectors", "create", "other", "--dimension", "3", "--distance", "manhattan"])?.ended(2)?;
    desk.run(&["vectors", "add", "nowhere", "points.ndjson"])?.ended(4)?;
    desk.run(&["vectors", "list", "--lake", "nowhere"])?.ended(4)?;
    Ok(())
}

#[test]
fn without_the_model_everything_but_text_works_and_the_ways_to_it_are_told() -> anyhow::Result<()> {
    let desk = desk_with_points()?.with("LAKEHOUSE__MODELS__DOWNLOAD", "false");
    let refused = desk.run(&["embed", "a text", "--json"])?.ended(3)?.err;
    let problem: serde_json::Value = serde_json::from_str(refused.trim())?;
    assert_eq!(problem["code"], "models.no_weights");
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("models.model_dir")), "{problem}");
    desk.run(&["vectors", "get", "points", "a"])?.ended(0)?;
    Ok(())
}

#[test]
fn texts_are_found_by_what_they_mean() -> anyhow::Result<()> {
    let Some(desk) = Desk::with_model("text::texts_are_found_by_what_they_mean")? else { return Ok(()) };
    assert!(!desk.path().join("lake").exists(), "embedding needs no lake");
    let embedded = desk.run_with_input(&["embed", "--json"], "one text\nanother\n")?.ended(0)?.json()?;
    assert_eq!((&embedded["dimension"], embedded["vectors"].as_array().map(Vec::len)), (&json!(384), Some(2)));

    desk.write("skills.csv", SKILLS)?;
    desk.run(&["vectors", "create", "skills"])?.ended(0)?;
    desk.run(&["vectors", "add", "skills", "skills.csv"])?.ended(0)?;
    let search = ["search", "skills", "someone who moves pallets in a warehouse", "-k", "2", "--json"];
    let found = desk.run(&search)?.ended(0)?.json()?;
    assert_eq!(found["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["results"][0]["metadata"]["occupation_code"], "53-7051");
    let only = ["--filter", r#"{"occupation_code": {"prefix": "51-"}}"#, "-k", "1", "--json"];
    let filtered = desk.run(&[&search[..3], &only].concat())?.ended(0)?.json()?;
    assert_eq!(filtered["results"][0]["metadata"]["occupation_code"], "51-3011");
    let words = ["search", "skills", "DOUGH", "--mode", "keyword", "--json"];
    let found = desk.run(&words)?.ended(0)?.json()?;
    assert_eq!(found["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["results"][0]["id"], "s3");
    let both = ["search", "skills", "someone who kneads", "--mode", "hybrid", "-k", "1"];
    let shown = desk.run(&both)?.ended(0)?.out;
    assert!(shown.starts_with("score\tid") && shown.contains("s3"), "{shown}");
    let sql = "SELECT text FROM vector_search('skills', 'bakes bread', 1)";
    let answer = desk.run(&["sql", sql, "--json"])?.ended(0)?.json()?;
    assert_eq!(answer["rows"], json!([["Kneads dough, and watches the ovens"]]));
    let sealed = desk.run(&["vectors", "seal", "skills", "--json"])?.ended(0)?.json()?["version"].to_string();
    desk.run(&["catalog", "tag", "hired", &sealed])?.ended(0)?;
    desk.run(&["vectors", "remove", "skills", "s1"])?.ended(0)?;
    for (as_of, is_there) in [(&["--as-of", &sealed][..], true), (&["--as-of", "hired"], true), (&[], false)] {
        let found = desk.run(&[&search[..3], as_of, &["-k", "1", "--json"]].concat())?.ended(0)?.json()?;
        let ids: Vec<_> = found["results"].as_array().into_iter().flatten().map(|hit| &hit["id"]).collect();
        assert_eq!((ids.len(), ids == ["s1"]), (1, is_there), "{as_of:?}");
    }
    desk.run(&[&search[..3], &["--as-of", "99"]].concat())?.ended(4)?;
    desk.run(&["search", "nowhere", "x"])?.ended(4)?;
    desk.run(&["embed", "x", "--model", "nobody/nothing"])?.ended(3)?;
    Ok(())
}
