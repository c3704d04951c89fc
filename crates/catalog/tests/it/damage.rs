//! A bit that changes in the log, in a checkpoint or in a manifest: what is answered is right, or told as damage.

use base::{AsOf, Fault, Seams, Span, Version};
use bytes::Bytes;
use catalog::{Catalog, Config, Error, Expiry, Mode, Result};
use storage::Store;
use tables::io::Roots;
use tables::lake::Lake;
use tables::manifests::KEY;
use tables::read_table::ReadTable;

use crate::support::{config, load, open, paths};

/// A lake of two tables whose newest record came after a checkpoint.
async fn lived() -> Store {
    let store = testkit::lake::memory().await;
    let settings = Config { checkpoint_every: 2, ..config() };
    let catalog = Catalog::open(store.clone(), &settings, Seams::system()).await.unwrap();
    load(&catalog, "t", Mode::Replace, &[1, 2]).await.unwrap();
    load(&catalog, "s", Mode::Replace, &[7]).await.unwrap();
    load(&catalog, "t", Mode::Append, &[5000]).await.unwrap();
    catalog.close().await;
    assert_eq!(paths(&store, "_lake/checkpoints/").await.len(), 1);
    store
}

/// All that a reader of the newest version goes by, as another process finds it.
async fn told(store: &Store) -> Result<Vec<String>> {
    let catalog = Catalog::open(store.clone(), &config(), Seams::system()).await?;
    let pin = catalog.pin(None).await?;
    let mut told = vec![format!("{} {} {:?}", pin.version(), pin.at(), pin.tags().collect::<Vec<_>>())];
    for name in pin.names() {
        let table = catalog.table(&pin, name).await?;
        told.push(format!("{name} {:?} {:?} {:?}", pin.entry(name), table.columns(), table.files().await?));
    }
    Ok(told)
}

/// Bytes with another bit in each of every so many of them, and where.
fn flips(bytes: &Bytes, every: usize) -> impl Iterator<Item = (usize, Bytes)> {
    (0..bytes.len()).step_by(every).map(|at| {
        let mut other = bytes.to_vec();
        other[at] ^= 1 << (at * 5 % 8);
        (at, other.into())
    })
}

fn assert_damage(error: &Error, what: &str) {
    assert_eq!((error.code(), error.to_string()), ("catalog.damaged", format!("{what} is damaged")));
}

#[tokio::test]
async fn a_bit_of_the_newest_record_that_changed_is_told() {
    let store = lived().await;
    let path = "_lake/log/00000000000000000003.json";
    for (_, other) in flips(&store.get(path).await.unwrap(), 1) {
        store.put(path, other).await.unwrap();
        assert_damage(&told(&store).await.unwrap_err(), "record 3 of the lake log");
    }
}

#[tokio::test]
async fn a_checkpoint_in_which_a_bit_changed_is_passed_over() {
    let store = lived().await;
    let (path, sound) = (paths(&store, "_lake/checkpoints/").await.remove(0), told(&store).await.unwrap());
    for (at, other) in flips(&store.get(&path).await.unwrap(), 11) {
        store.put(&path, other).await.unwrap();
        assert_eq!(told(&store).await.unwrap(), sound, "byte {at}");
    }
}

#[tokio::test]
async fn a_bit_of_a_manifest_or_of_a_list_of_them_that_changed_is_told() {
    let store = lived().await;
    let catalog = open(&store).await;
    let (pin, name) = (catalog.pin(None).await.unwrap(), "t".parse().unwrap());
    let entry = pin.entry(&name).unwrap();
    let lake = Lake { store: store.clone(), roots: Roots::new(store.uri(), store.uri(), &[]), seams: Seams::system() };
    let ReadTable { metadata, .. } = ReadTable::load(&lake, &name, &entry.metadata).await.unwrap();
    let files = async || ReadTable::new(&lake, &name, metadata.clone())?.files(&name).await;
    let (sound, home, newest) = (files().await.unwrap(), metadata.location(), entry.snapshot_id.unwrap());
    for (kind, file) in [("manifest", format!("{newest}-m0.avro")), ("manifest list", format!("snap-{newest}.avro"))] {
        let path = lake.roots.relative(&format!("{home}/metadata/{file}")).unwrap().to_owned();
        let (bytes, mut damages) = (store.get(&path).await.unwrap(), 0);
        for (at, other) in flips(&bytes, 3) {
            store.put(&path, other).await.unwrap();
            match files().await {
                Ok(files) => assert_eq!(files, sound, "byte {at} of {file}"),
                Err(error) => {
                    assert_damage(&error.into(), &format!("the {kind} {path} of t"));
                    damages += 1;
                }
            }
        }
        // What changes the sum's own entry hides the sum, and nothing else has changed then.
        assert!(3 * damages + KEY.len() + file.len() + 6 >= bytes.len(), "{damages} in {file}");
        store.put(&path, bytes).await.unwrap();
    }
}

#[tokio::test]
async fn manifests_that_changed_places_are_told() {
    for ending in ["-m0.avro", ".avro"] {
        let store = lived().await;
        let all = paths(&store, "tables/").await;
        let is_list = |path: &String| path.contains("/snap-");
        let alike = all.iter().filter(|path| path.ends_with(ending) && is_list(path) == (ending == ".avro"));
        let alike: Vec<_> = alike.collect();
        assert_eq!(alike.len(), 3);
        let first = store.get(alike[0]).await.unwrap();
        for path in &alike[1..] {
            store.put(path, first.clone()).await.unwrap();
        }
        assert_eq!(told(&store).await.unwrap_err().code(), "catalog.damaged");
    }
}

#[tokio::test]
async fn a_name_or_a_number_that_changed_in_the_log_is_never_believed() {
    let store = lived().await;
    let path = "_lake/log/00000000000000000003.json";
    let sound = String::from_utf8(store.get(path).await.unwrap().to_vec()).unwrap();
    for (from, to) in [(r#""name":"t""#, r#""name":"u""#), (r#""row_count":3"#, r#""row_count":8"#)] {
        assert!(sound.contains(from), "{sound}");
        store.put(path, Bytes::from(sound.replace(from, to))).await.unwrap();
        let error = Catalog::open(store.clone(), &config(), Seams::system()).await.unwrap_err();
        assert_damage(&error, "record 3 of the lake log");
    }
    store.put(path, Bytes::from(sound)).await.unwrap();
    assert_eq!(open(&store).await.pin(None).await.unwrap().names().count(), 2);
}

#[tokio::test]
async fn a_damaged_record_of_a_tagged_version_below_the_oldest_is_told_as_damage() {
    let store = lived().await;
    let catalog = open(&store).await;
    let (tag, second) = ("kept".parse().unwrap(), AsOf::Version(Version(2)));
    catalog.put_tag(&tag, Some(&second), "test").await.unwrap();
    let expiry = Expiry { older_than: None, keep_last: Some(1), linger: Span::secs(0), author: "test".into() };
    for _ in 0..2 {
        catalog.expire(&expiry).await.unwrap();
    }
    let path = "_lake/log/00000000000000000002.json";
    let (_, other) = flips(&store.get(path).await.unwrap(), 100).nth(1).unwrap();
    store.put(path, other).await.unwrap();
    assert_damage(&catalog.version(Version(2)).await.unwrap_err(), "record 2 of the lake log");
}
