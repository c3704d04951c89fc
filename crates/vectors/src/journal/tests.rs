use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use base::{Clock, Fault, Kind, Timestamp};
use bytes::Bytes;
use catalog::{IndexSettings, Sealed};
use futures::future::join_all;
use tempfile::TempDir;
use testkit::{Fickle, FixedClock, Mishap, S3Server, SeededDice, TestLake};
use uuid::Uuid;

use super::*;
use crate::change::Item;
use crate::fragment::Step;

const DIMENSION: usize = 2;

/// The simplest thing that fragments can add up to.
#[derive(Default)]
struct Ledger(Mutex<Page>);

#[derive(Default, Clone, PartialEq, Debug)]
struct Page {
    items: BTreeMap<String, Vec<f32>>,
    fragments: Vec<u64>,
    model: Option<String>,
    changes: usize,
}

impl Ledger {
    fn page(&self) -> Page {
        self.0.lock().unwrap().clone()
    }

    fn ids(&self) -> Vec<String> {
        self.page().items.into_keys().collect()
    }
}

impl Replay for Ledger {
    /// How many items there are afterwards.
    type Outcome = usize;

    fn admit(&self, change: &Arc<Change>) -> Result<Arc<Change>> {
        match (&self.page().model, change.fingerprint()) {
            (Some(known), Some(given)) if known != given => Err(Error::other_model(known, given)),
            _ => Ok(Arc::clone(change)),
        }
    }

    fn apply(&self, fragment: &Fragment) -> Result<Vec<usize>> {
        let mut page = self.0.lock().unwrap();
        page.fragments.push(fragment.number());
        if page.model.is_none() {
            page.model = fragment.fingerprint().map(str::to_owned);
        }
        let step = |step| {
            match step {
                Step::Put(rows) => rows.for_each(|row| {
                    let vector = fragment.vectors()[row * DIMENSION..][..DIMENSION].to_vec();
                    page.items.insert(fragment.id(row).into(), vector);
                }),
                Step::Delete(deletes) => deletes.for_each(|at| {
                    page.items.remove(fragment.deleted(at));
                }),
            }
            page.changes += 1;
            page.items.len()
        };
        Ok(fragment.steps().map(step).collect())
    }

    fn tidy(&self, _rows: usize) -> bool {
        true
    }

    fn become_like(&self, other: Self) {
        *self.0.lock().unwrap() = other.page();
    }
}

/// An index that nobody seals.
struct Unsealed;

/// An index of which others have sealed so many fragments, as a look of this moment, or of long ago, tells.
struct SealedElsewhere {
    known: u64,
    newest: u64,
    is_long_ago: bool,
}

impl SealedElsewhere {
    fn entry(fragment: u64) -> Option<Arc<IndexEntry>> {
        let sealed = Sealed { fragment, length: 0, segments: Vec::new(), ends: String::new() };
        Some(Arc::new(IndexEntry { sealed: Some(sealed), version: base::Version(1 + fragment), ..entry() }))
    }
}

#[async_trait]
impl Seals<Ledger> for SealedElsewhere {
    async fn look(&self) -> Result<(Option<Arc<IndexEntry>>, Timestamp)> {
        Ok((Self::entry(self.known), Timestamp::from_micros(0)))
    }

    async fn ask(&self) -> Result<Option<Arc<IndexEntry>>> {
        Ok(Self::entry(self.newest))
    }

    fn is_long_ago(&self, _: Timestamp) -> bool {
        self.is_long_ago
    }

    /// The sealed items are not told one by one: a single one stands for them.
    async fn open(&self, entry: &IndexEntry) -> Result<(Ledger, u64)> {
        let fragment = entry.sealed.as_ref().map_or(0, |sealed| sealed.fragment);
        let items = (fragment > 0).then(|| (format!("sealed {fragment}"), vec![0.0; DIMENSION]));
        let page = Page { items: items.into_iter().collect(), ..Page::default() };
        Ok((Ledger(Mutex::new(page)), fragment))
    }
}

#[async_trait]
impl Seals<Ledger> for Unsealed {
    async fn look(&self) -> Result<(Option<Arc<IndexEntry>>, Timestamp)> {
        Ok((None, Timestamp::from_micros(0)))
    }

    async fn ask(&self) -> Result<Option<Arc<IndexEntry>>> {
        Ok(None)
    }

    fn is_long_ago(&self, _: Timestamp) -> bool {
        false
    }

    async fn open(&self, _: &IndexEntry) -> Result<(Ledger, u64)> {
        Ok((Ledger::default(), 0))
    }
}

fn entry() -> IndexEntry {
    let distance = base::Distance::Cosine;
    let settings = IndexSettings { dimension: DIMENSION as u32, distance, m: 16, ef_search: None, model: None };
    IndexEntry {
        index_id: Uuid::from_u64_pair(1, 2),
        location: "indexes/people-1".into(),
        settings,
        sealed: None,
        created_at: Timestamp::from_micros(0),
        version: base::Version(1),
    }
}

/// A journal over a store, as one process has it.
struct Process {
    journal: Journal<Ledger>,
    ledger: Arc<Ledger>,
    _cache: TempDir,
}

impl Process {
    async fn start(store: &Store) -> Self {
        Self::try_start(store, Seams::system()).await.unwrap()
    }

    async fn try_start(store: &Store, seams: Seams) -> Result<Self> {
        Self::beside(store, seams, Arc::new(Unsealed)).await
    }

    async fn beside(store: &Store, seams: Seams, seals: Arc<dyn Seals<Ledger>>) -> Result<Self> {
        let home = TempDir::new().unwrap();
        let cache = CacheDir::open(home.path()).await?;
        let freshness = Freshness { seams, max_staleness: Span::secs(1), patience: Span::millis(100) };
        let name = "people".parse().unwrap();
        let (journal, ledger) = Journal::open(store, &cache, &name, &entry(), freshness, seals).await?;
        Ok(Self { journal, ledger, _cache: home })
    }

    async fn put(&self, ids: &[&str]) -> Result<Landed<usize>> {
        self.journal.append(put(ids, None)).await
    }

    async fn delete(&self, id: &str) -> Result<Landed<usize>> {
        self.journal.append(Change::Delete { ids: vec![id.into()] }).await
    }
}

fn put(ids: &[&str], model: Option<&str>) -> Change {
    let item = |id: &&str| Item { id: (*id).into(), vector: vec![1.0, id.len() as f32], ..Item::default() };
    Change::Put { items: ids.iter().map(item).collect(), fingerprint: model.map(str::to_owned) }
}

fn path(number: u64) -> String {
    format!("indexes/people-1/fragments/{number:020}.lhvf")
}

async fn numbers(store: &Store) -> Vec<u64> {
    let page = store.list("indexes/", None, 100_000).await.unwrap();
    page.entries.iter().map(|entry| entry.path[27..47].parse().unwrap()).collect()
}

#[tokio::test]
async fn changes_are_numbered_taken_in_and_found_again() {
    let lake = TestLake::open().await;
    let process = Process::start(&lake.store).await;
    assert_eq!(process.journal.fresh().await.unwrap(), 0);
    assert_eq!(process.put(&["a", "b"]).await.unwrap(), Landed { number: 1, outcome: 2 });
    assert_eq!(process.delete("a").await.unwrap(), Landed { number: 2, outcome: 1 });
    assert_eq!(process.delete("a").await.unwrap(), Landed { number: 3, outcome: 1 });
    assert_eq!(process.put(&[]).await.unwrap(), Landed { number: 4, outcome: 1 });
    let again = Process::start(&lake.reopen().await).await;
    assert_eq!(again.journal.fresh().await.unwrap(), 4);
    assert_eq!(again.ledger.page(), process.ledger.page());
    assert_eq!(again.ledger.ids(), ["b"]);
}

#[tokio::test]
async fn changes_that_wait_together_share_a_fragment_and_keep_their_order() {
    let lake = TestLake::open().await;
    let process = Process::start(&lake.store).await;
    let ids: Vec<String> = (0..40).map(|id| format!("{id:02}")).collect();
    let calls = ids.iter().flat_map(|id| {
        let (put, delete) = (put(&[id], None), Change::Delete { ids: vec![id.clone()] });
        [put.clone(), delete, put].map(|change| process.journal.append(change))
    });
    let landed: Vec<_> = join_all(calls).await.into_iter().map(|landed| landed.unwrap()).collect();
    let lengths: Vec<usize> = landed.iter().map(|landed| landed.outcome).collect();
    assert_eq!(lengths, (1..=40).flat_map(|length| [length, length - 1, length]).collect::<Vec<_>>());
    assert!(landed.is_sorted_by_key(|landed| landed.number));
    let fragments = numbers(&lake.store).await;
    assert!(fragments.len() < 40, "{} fragments for 120 changes", fragments.len());
    assert_eq!(fragments, (1..=fragments.len() as u64).collect::<Vec<_>>());
    assert_eq!(Process::start(&lake.reopen().await).await.ledger.ids(), ids);
}

/// Several processes append at once; afterwards all of them have all, and the numbers have no gap.
async fn race(stores: &[Store], calls: usize) {
    let processes = join_all(stores.iter().map(Process::start)).await;
    let appends = (0..calls).map(|call| {
        let process = &processes[call % stores.len()];
        let id = format!("{call:04}");
        async move { process.put(&[&id]).await.unwrap() }
    });
    join_all(appends).await;
    let last = Process::start(&stores[0]).await;
    let all = last.ledger.page();
    assert_eq!(all.items.len(), calls);
    assert_eq!(all.changes, calls);
    assert_eq!(all.fragments, (1..=all.fragments.len() as u64).collect::<Vec<_>>());
    assert_eq!(numbers(&stores[0]).await, all.fragments);
    for process in &processes {
        process.journal.reader.ask().await.unwrap();
        assert_eq!(process.ledger.page(), all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_race_on_a_directory_lose_nothing() {
    let lake = TestLake::open().await;
    race(&[lake.store.clone(), lake.reopen().await, lake.reopen().await], 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_race_on_s3_lose_nothing() {
    let Some(server) = S3Server::start("vectors::journal::s3") else { return };
    let open = || async { Store::open(&server.location("lake"), &server.config(), Seams::system()).await.unwrap() };
    race(&[open().await, open().await], 40).await;
}

#[tokio::test]
async fn what_one_process_appends_the_next_read_of_another_sees() {
    let lake = TestLake::open().await;
    let (writer, reader) = (Process::start(&lake.store).await, Process::start(&lake.reopen().await).await);
    for number in 1..=70 {
        writer.put(&[&number.to_string()]).await.unwrap();
        if number % 35 == 0 {
            assert_eq!(reader.journal.fresh().await.unwrap(), number);
            assert_eq!(reader.ledger.page(), writer.ledger.page());
        }
    }
}

#[tokio::test]
async fn thousands_of_changes_by_another_process_are_caught_up_with_at_once() {
    let fickle = Fickle::new();
    let store = fickle.store();
    let (writer, reader) = (Process::start(&store).await, Process::start(&store).await);
    for number in 0..2_500 {
        writer.put(&[&number.to_string()]).await.unwrap();
    }
    assert_eq!(reader.journal.fresh().await.unwrap(), 2_500);
    assert_eq!(reader.ledger.page(), writer.ledger.page());
}

#[tokio::test]
async fn on_s3_a_read_trusts_a_look_for_a_while_and_its_own_changes_at_once() {
    let (fickle, clock) = (Fickle::new(), Arc::new(FixedClock::at(testkit::seam::START)));
    let store = fickle.store_at("s3://bucket/lake");
    let seams = Seams::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SeededDice::new(1)));
    let reader = Process::try_start(&store, seams).await.unwrap();
    Process::start(&store).await.put(&["a"]).await.unwrap();
    let calls = fickle.calls();
    assert_eq!((reader.journal.fresh().await.unwrap(), fickle.calls()), (0, calls));
    clock.set(Timestamp::from_micros(testkit::seam::START.micros() + 1_000_000));
    assert_eq!(reader.journal.fresh().await.unwrap(), 1);
    assert_eq!(reader.put(&["b"]).await.unwrap().number, 2);
    let calls = fickle.calls();
    assert_eq!((reader.journal.fresh().await.unwrap(), fickle.calls()), (2, calls));
    assert_eq!(reader.ledger.ids(), ["a", "b"]);
}

#[tokio::test]
async fn of_two_models_that_race_for_an_index_one_has_it() {
    for round in 0..8 {
        let lake = TestLake::open().await;
        let (one, two) = (Process::start(&lake.store).await, Process::start(&lake.reopen().await).await);
        let calls = (0..6).map(|call| {
            let process = if (call + round) % 2 == 0 { &one } else { &two };
            let model = if call % 3 == 0 { "x" } else { "y" };
            let id = format!("{model}{call}");
            async move { (model, process.journal.append(put(&[&id], Some(model))).await) }
        });
        let answers = join_all(calls).await;
        one.journal.fresh().await.unwrap();
        let page = one.ledger.page();
        let winner = page.model.unwrap();
        for (model, answer) in answers {
            match answer {
                Ok(_) => assert_eq!(model, winner),
                Err(error) => assert_eq!((error.code(), model == winner), ("vectors.other_model", false)),
            }
        }
        assert!(page.items.keys().all(|id| id.starts_with(&winner)));
    }
}

#[tokio::test]
async fn a_lost_reply_neither_loses_nor_repeats_a_change() {
    use Mishap::{FailsBefore, LosesReply, TakenByItself};
    let plans: [&[Mishap]; 6] = [
        &[LosesReply],
        &[FailsBefore],
        &[TakenByItself],
        &[LosesReply, FailsBefore],
        &[TakenByItself, FailsBefore, FailsBefore],
        &[FailsBefore, FailsBefore, FailsBefore],
    ];
    for plan in plans {
        let fickle = Fickle::new();
        let process = Process::start(&fickle.store()).await;
        process.put(&["a"]).await.unwrap();
        fickle.plan(plan);
        assert_eq!(process.put(&["b"]).await.unwrap(), Landed { number: 2, outcome: 2 }, "{plan:?}");
        process.put(&["c"]).await.unwrap();
        let again = Process::start(&fickle.store()).await.ledger.page();
        assert_eq!(again.items.keys().collect::<Vec<_>>(), ["a", "b", "c"], "{plan:?}");
        assert_eq!((again.changes, again.fragments), (3, vec![1, 2, 3]), "{plan:?}");
    }
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_said_and_what_it_left_is_taken_in() {
    let fickle = Fickle::new();
    let process = Process::start(&fickle.store()).await;
    fickle.plan(&[Mishap::FailsBefore; 50]);
    let (one, two) = tokio::join!(process.put(&["a"]), process.put(&["b"]));
    for unknown in [one.unwrap_err(), two.unwrap_err()] {
        assert_eq!((unknown.kind(), unknown.code()), (Kind::Unavailable, "vectors.outcome_unknown"));
    }
    // The write that nobody heard of arrives late, under the number that the next change wants.
    fickle.plan(&[]);
    let late = Process::start(&fickle.store()).await;
    late.put(&["late"]).await.unwrap();
    assert_eq!(process.put(&["c"]).await.unwrap(), Landed { number: 2, outcome: 2 });
    assert_eq!(process.ledger.ids(), ["c", "late"]);
}

/// A small life of an index; answers what was acknowledged.
async fn live(store: &Store) -> Vec<&'static str> {
    let mut acknowledged = Vec::new();
    let Ok(process) = Process::try_start(store, Seams::system()).await else { return acknowledged };
    for id in ["a", "b"] {
        if process.put(&[id]).await.is_ok() {
            acknowledged.push(id);
        }
    }
    if process.delete("a").await.is_ok() {
        acknowledged.push("-a");
    }
    let (c, d) = tokio::join!(process.put(&["c"]), process.put(&["d"]));
    acknowledged.extend(c.is_ok().then_some("c"));
    acknowledged.extend(d.is_ok().then_some("d"));
    acknowledged
}

#[tokio::test]
async fn a_store_that_dies_at_any_call_loses_nothing_acknowledged() {
    let start = Fickle::new();
    Process::start(&start.store()).await.put(&["before"]).await.unwrap();
    let whole = Fickle::over(start.bucket().fork(), usize::MAX, false);
    assert_eq!(live(&whole.store()).await, ["a", "b", "-a", "c", "d"]);
    for (calls, lasting) in (1..=whole.calls()).flat_map(|calls| [(calls, false), (calls, true)]) {
        let dying = Fickle::over(start.bucket().fork(), calls, lasting);
        let acknowledged = live(&dying.store()).await;
        let survivor = Fickle::over(dying.bucket().clone(), usize::MAX, false);
        let process = Process::start(&survivor.store()).await;
        let found = process.ledger.ids();
        // An unanswered deletion of `a` may have happened.
        for id in ["b", "c", "d"].iter().filter(|id| acknowledged.contains(id)) {
            assert!(found.iter().any(|found| found == id), "dead after {calls}: {acknowledged:?} but {found:?}");
        }
        let deleted = acknowledged.contains(&"-a");
        assert!(!(deleted && found.contains(&"a".to_owned())), "dead after {calls}: {found:?}");
        assert!(found.contains(&"before".to_owned()));
        // Whatever was left behind, the index goes on.
        process.put(&["after"]).await.unwrap();
        assert_eq!(numbers(&survivor.store()).await, process.ledger.page().fragments);
    }
}

/// A lake whose fragments 1 to 3 hold `a`, `b` and `c`.
async fn three() -> TestLake {
    let lake = TestLake::open().await;
    let process = Process::start(&lake.store).await;
    for id in ["a", "b", "c"] {
        process.put(&[id]).await.unwrap();
    }
    lake
}

fn check_damaged(error: &Error, number: u64) {
    assert_eq!((error.kind(), error.code()), (Kind::Damaged, "vectors.damaged"));
    assert_eq!(error.to_string(), format!("fragment {number} of people is damaged"));
    assert_eq!(error.facts()["fragment"], number);
}

#[tokio::test]
async fn a_damaged_or_missing_fragment_is_an_error_that_names_it_until_it_is_restored() {
    let lake = three().await;
    let sound = lake.store.get(&path(2)).await.unwrap();
    let mut garbled = sound.to_vec();
    garbled[270] ^= 1;
    let wrongs = [Some(garbled.into()), Some(sound.slice(..sound.len() - 1)), Some(Bytes::new()), None];
    for wrong in wrongs {
        match wrong {
            Some(bytes) => drop(lake.store.put(&path(2), bytes).await.unwrap()),
            None => lake.store.delete(&path(2)).await.unwrap(),
        }
        let refused = Process::try_start(&lake.reopen().await, Seams::system()).await;
        check_damaged(&refused.err().unwrap(), 2);
        lake.store.put(&path(2), sound.clone()).await.unwrap();
        assert_eq!(Process::start(&lake.reopen().await).await.ledger.ids(), ["a", "b", "c"]);
    }
}

#[tokio::test]
async fn damage_that_comes_while_running_fails_reads_and_changes_of_the_index_until_it_is_mended() {
    let lake = three().await;
    let process = Process::start(&lake.store).await;
    let other = Process::start(&lake.reopen().await).await;
    other.put(&["d"]).await.unwrap();
    let sound = lake.store.get(&path(4)).await.unwrap();
    lake.store.put(&path(4), sound.slice(..100)).await.unwrap();
    check_damaged(&process.journal.fresh().await.unwrap_err(), 4);
    check_damaged(&process.put(&["e"]).await.unwrap_err(), 4);
    assert_eq!(numbers(&lake.store).await, [1, 2, 3, 4]);
    lake.store.put(&path(4), sound).await.unwrap();
    assert_eq!(process.journal.fresh().await.unwrap(), 4);
    assert_eq!(process.put(&["e"]).await.unwrap(), Landed { number: 5, outcome: 5 });
}

#[tokio::test]
async fn a_fragment_of_a_newer_release_is_refused_by_name() {
    let lake = three().await;
    let mut newer = lake.store.get(&path(3)).await.unwrap().to_vec();
    newer[4] = 9;
    lake.store.put(&path(3), newer.into()).await.unwrap();
    let error = Process::try_start(&lake.reopen().await, Seams::system()).await.err().unwrap();
    assert_eq!(error.code(), "vectors.newer_format");
}

#[tokio::test]
async fn an_abandoned_change_still_lands() {
    let lake = TestLake::open().await;
    let process = Process::start(&lake.store).await;
    let journal = process.journal.clone();
    let call = task::spawn("test", async move { journal.append(put(&["a"], None)).await });
    tokio::task::yield_now().await;
    call.abort();
    let _ = call.await;
    process.put(&["b"]).await.unwrap();
    let found = Process::start(&lake.reopen().await).await.ledger.ids();
    assert!(found == ["a", "b"] || found == ["b"], "{found:?}");
    assert_eq!(found, process.ledger.ids());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_look_that_is_given_up_half_way_takes_no_fragment_in_twice() {
    let lake = TestLake::open().await;
    let (writer, reader) = (Process::start(&lake.store).await, Process::start(&lake.reopen().await).await);
    for round in 0..10 {
        let ids: Vec<String> = (0..2000).map(|id| format!("{round} {id}")).collect();
        writer.put(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
        for _ in 0..3 {
            let journal = reader.journal.clone();
            let look = task::spawn("test", async move { journal.fresh().await });
            tokio::task::yield_now().await;
            look.abort();
            let _ = look.await;
        }
    }
    reader.journal.fresh().await.unwrap();
    assert_eq!(reader.ledger.page(), writer.ledger.page());
}

#[tokio::test]
async fn a_large_fragment_is_read_in_place_wherever_the_lake_lies() {
    let vector = |at: usize| vec![at as f32, -(at as f32)];
    let items = (0..150_000).map(|at| Item { id: at.to_string(), vector: vector(at), ..Item::default() }).collect();
    let change = Change::Put { items, fingerprint: None };
    let lake = TestLake::open().await;
    let remote = Fickle::new();
    for store in [lake.store.clone(), testkit::lake::memory().await, remote.store_at("s3://bucket/lake")] {
        let process = Process::start(&store).await;
        assert_eq!(process.journal.append(change.clone()).await.unwrap(), Landed { number: 1, outcome: 150_000 });
        let again = Process::start(&store).await;
        assert_eq!(again.ledger.page(), process.ledger.page());
        assert_eq!(again.ledger.page().items["149999"], vector(149_999));
    }
}

#[tokio::test]
async fn a_number_that_was_sealed_and_swept_is_passed_over() {
    let lake = TestLake::open().await;
    let seals = Arc::new(SealedElsewhere { known: 5, newest: 5, is_long_ago: false });
    let process = Process::beside(&lake.store, Seams::system(), seals).await.unwrap();
    assert_eq!(process.put(&["a"]).await.unwrap().number, 6);
    assert_eq!(process.ledger.ids(), ["a", "sealed 5"]);
}

#[tokio::test]
async fn who_slept_through_a_seal_does_not_acknowledge_what_fell_into_the_hole() {
    let lake = TestLake::open().await;
    // Its last look knew of no seal, and was long ago when the fragment stood.
    let seals = Arc::new(SealedElsewhere { known: 0, newest: 5, is_long_ago: true });
    let process = Process::beside(&lake.store, Seams::system(), seals).await.unwrap();
    assert!(matches!(process.put(&["a"]).await, Err(Error::OutcomeUnknown)));
    // Who slept as long while nobody sealed may go on.
    let seals = Arc::new(SealedElsewhere { known: 0, newest: 0, is_long_ago: true });
    let other = TestLake::open().await;
    let process = Process::beside(&other.store, Seams::system(), seals).await.unwrap();
    assert_eq!(process.put(&["a"]).await.unwrap().number, 1);
}
