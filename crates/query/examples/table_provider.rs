//! Answers each query of a file over the same Parquet files twice, through tables of the engine's own and through those
//! of a lake, for `bench/run.py provider`:
//!
//! ```text
//! table_provider <directory of Parquet files> <file of queries> <runs> <on|off: filters inside of scans>
//! ```
//!
//! Prints one line for each query: its name, and CPU and wall seconds of every run on either side.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that fails ends, and prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench reads its own files and arguments")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use base::Seams;
use catalog::{Catalog, ColumnType, Register, fingerprint};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use query::{Config, Query};
use serde_json::json;
use testkit::TestLake;

/// Kernel ticks in a second, in which CPU time is counted.
const TICKS: f64 = 100.0;

fn context(pushdown: bool) -> SessionContext {
    let mut config = SessionConfig::new();
    let options = config.options_mut();
    options.execution.collect_statistics = true;
    options.execution.parquet.pushdown_filters = pushdown;
    options.execution.parquet.reorder_filters = pushdown;
    SessionContext::new_with_config(config)
}

/// CPU seconds that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS
}

/// Registers a Parquet file as a dataset of the lake.
async fn register(catalog: &Catalog, file: &Path, name: &str) {
    let key = format!("{name}.parquet");
    let bytes = std::fs::read(file).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes.clone())).unwrap();
    let row_count = reader.metadata().file_metadata().num_rows().unsigned_abs();
    let schema: SchemaRef = reader.schema().clone();
    let columns = schema.fields().iter();
    let columns: Vec<_> =
        columns.map(|field| (field.name().as_str(), ColumnType::from_arrow(field.data_type()).unwrap())).collect();
    let schema_fingerprint = fingerprint(columns.iter().map(|(name, ty)| (*name, ty)));
    catalog.store().put(&format!("objects/{key}"), bytes.into()).await.unwrap();
    let objects = vec![key.as_str().into()];
    let author = "bench".to_owned();
    let register = Register { name: name.parse().unwrap(), schema_fingerprint, objects, row_count, author };
    catalog.register(register).await.unwrap();
}

async fn run(context: &SessionContext, sql: &str) -> (f64, f64) {
    let (used, began) = (cpu(), Instant::now());
    let rows: usize = context.sql(sql).await.unwrap().collect().await.unwrap().iter().map(|rows| rows.num_rows()).sum();
    assert!(rows > 0, "{sql}");
    (cpu() - used, began.elapsed().as_secs_f64())
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, queries, runs, pushdown] = arguments.try_into().unwrap();
    let (runs, pushdown): (usize, bool) = (runs.parse().unwrap(), pushdown == "on");
    let lake = TestLake::open().await;
    let catalog = Catalog::open(lake.store.clone(), &catalog::Config::default(), Seams::system()).await.unwrap();
    let (direct, ours) = (context(pushdown), context(pushdown));
    let query = Query::new(catalog.clone(), &Config::default(), Seams::system()).unwrap();
    ours.register_object_store(&url::Url::parse("lake://lake/").unwrap(), catalog.store().object_store());
    let files = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|file: &PathBuf| file.extension().is_some_and(|ending| ending == "parquet")) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        direct.register_parquet(name, file.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
        register(&catalog, &file, name).await;
        ours.register_table(name, query.provider(&name.parse().unwrap()).await.unwrap()).unwrap();
    }
    let text = std::fs::read_to_string(queries).unwrap();
    for part in text.split("-- q").skip(1) {
        let (number, sql) = part.split_once('\n').unwrap();
        let sql = sql.trim().trim_end_matches(';');
        let sides = [&direct, &ours];
        let mut costs = [Vec::new(), Vec::new()];
        for side in sides {
            run(side, sql).await;
        }
        for round in 0..runs {
            for side in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                costs[side].push(run(sides[side], sql).await);
            }
        }
        println!("{}", json!({ "query": format!("q{}", number.trim()), "direct": costs[0], "ours": costs[1] }));
    }
}
