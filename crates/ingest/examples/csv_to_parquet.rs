//! Loads one CSV file into a fresh lake and prints what it cost: `csv_to_parquet FILE.csv LAKE_DIRECTORY`.
//!
//! The load is the product's own, durable as by default: spool, digest, types, Parquet, commit.

use std::process::ExitCode;

use base::Seams;
use bytes::BytesMut;
use catalog::Catalog;
use futures::stream;
use ingest::{Ingest, Progress, Request};
use storage::{BodyError, Store};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Bytes read from the file at a time.
const PIECE: usize = 1 << 20;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are its whole purpose")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, csv, lake] = arguments.as_slice() else {
        eprintln!("usage: csv_to_parquet FILE.csv LAKE_DIRECTORY");
        return ExitCode::from(2);
    };
    match run(csv, lake).await {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(csv: &str, lake: &str) -> Result<String, Failure> {
    let seams = Seams::system();
    let store = Store::open(&lake.parse()?, &storage::Config::default(), seams.clone()).await?;
    let catalog = Catalog::open(store, &catalog::Config::default(), seams.clone()).await?;
    let ingest = Ingest::new(catalog.clone(), &ingest::Config::default(), seams);
    let file = File::open(csv).await?;
    let body = stream::try_unfold(file, |mut file| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await.map_err(|error| BodyError::Broken(error.into()))?;
        Ok::<_, BodyError>((read > 0).then(|| (piece.freeze(), file)))
    });
    let request = Request::new("bench".parse()?);
    let outcome = ingest.load(request, body, &Progress::default()).await?;
    catalog.close().await;
    Ok(serde_json::to_string(&outcome)?)
}
