//! Commits as fast as they go for so long each, and prints how many a second, for `bench/run.py commits`:
//!
//! ```text
//! commits <directory> <seconds>
//! ```
//!
//! Beside them, on the same disk: appends of as many bytes as a record has, each with `fdatasync`. The S3 stand-in is
//! memory where a conditional put takes 60 ms and any other call 15 ms.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails ends, and prints its figures")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base::Seams;
use catalog::{Catalog, Config};
use futures::future::join_all;
use serde_json::json;
use simulation::deed::Deed;
use storage::{Location, Store, task};
use testkit::{Bucket, Call, Fate, Faulty, Mishap, Verb};

/// As many bytes as the record of a tag has.
const RECORD: usize = 320;
/// How many clients commit side by side.
const CLIENTS: usize = 64;
/// How often each measurement is repeated, in turns with the others.
const ROUNDS: u32 = 3;

/// The fate of calls over a network: they take their time.
struct Distance;

#[async_trait]
impl Fate for Distance {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        let millis = if call.verb == Verb::Create { 60 } else { 15 };
        tokio::time::sleep(Duration::from_millis(millis)).await;
        None
    }
}

fn appends(directory: &Path, span: Duration) -> f64 {
    let mut file = OpenOptions::new().create(true).append(true).open(directory.join("appended")).unwrap();
    let (begun, mut done) = (Instant::now(), 0);
    while begun.elapsed() < span {
        file.write_all(&[b'x'; RECORD]).unwrap();
        file.sync_data().unwrap();
        done += 1;
    }
    f64::from(done) / begun.elapsed().as_secs_f64()
}

/// One client that does one kind of deed again and again; how many it did.
async fn client(catalog: Catalog, number: usize, tables: bool, until: Instant) -> u32 {
    let seams = Seams::system();
    let (mut done, names) = (0, [format!("tag{number}"), format!("table{number}")]);
    while Instant::now() < until {
        if tables {
            let name: &'static str = Box::leak(names[1].clone().into_boxed_str());
            let deed = Deed::Append { table: name, row: i64::from(done), keyed: false };
            deed.perform(&catalog, "bench", &seams).await.unwrap();
        } else {
            catalog.put_tag(&names[0].parse().unwrap(), None, "bench").await.unwrap();
        }
        done += 1;
    }
    done
}

/// Commits of so many clients for `span`, in commits a second.
async fn commits(catalog: &Catalog, clients: usize, tables: bool, span: Duration) -> f64 {
    let begun = Instant::now();
    let work = (0..clients).map(|number| task::spawn("client", client(catalog.clone(), number, tables, begun + span)));
    let done: u32 = join_all(work).await.into_iter().map(|done| done.unwrap()).sum();
    f64::from(done) / begun.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    allocator::give_back_soon();
    let mut arguments = std::env::args().skip(1);
    let directory = std::path::absolute(arguments.next().unwrap()).unwrap();
    let span = Duration::from_secs_f64(arguments.next().unwrap().parse().unwrap()) / ROUNDS;
    let location = Location::Directory(directory.join("lake"));
    let store = Store::open(&location, &storage::Config::default(), Seams::system()).await.unwrap();
    let here = Catalog::open(store, &Config::default(), Seams::system()).await.unwrap();
    let bucket = Arc::new(Bucket::new(Seams::system()));
    let store = Faulty::over(bucket, Arc::new(Distance), Seams::system()).store("s3://bucket/lake");
    let far = Catalog::open(store, &Config::default(), Seams::system()).await.unwrap();
    // Tags name versions, so there must be one; a directory that was measured before has some.
    for catalog in [&here, &far].into_iter().filter(|catalog| catalog.known_head().0 == 0) {
        Deed::CreateIndex { index: "first" }.perform(catalog, "bench", &Seams::system()).await.unwrap();
    }
    let mut sums = [0.0; 7];
    for _ in 0..ROUNDS {
        let figures = [
            appends(&directory, span),
            commits(&here, 1, false, span).await,
            commits(&here, CLIENTS, false, span).await,
            commits(&here, 1, true, span).await,
            commits(&here, CLIENTS, true, span).await,
            commits(&far, 1, false, span).await,
            commits(&far, CLIENTS, false, span).await,
        ];
        sums.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure / f64::from(ROUNDS));
    }
    let [append, tag, tags, table, tables, far_tag, far_tags] = sums;
    println!(
        "{}",
        json!({"append": append, "tag": tag, "tags": tags, "table": table, "tables": tables, "far_tag": far_tag, "far_tags": far_tags})
    );
}
