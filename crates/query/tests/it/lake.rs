//! A lake with an ingest and a query engine over it.

use std::sync::Arc;

use base::{Fault, Seams};
use bytes::Bytes;
use catalog::{Catalog, Mode};
use ingest::{Ingest, Progress, Request};
use query::{Answer, Ask, Config, Query};
use serde_json::Value;
use testkit::TestLake;

use crate::scripted::Scripted;

/// A lake, and whoever fills and asks it.
pub struct Lake {
    pub query: Query,
    pub search: Arc<Scripted>,
    ingest: Ingest,
    pub store: TestLake,
}

impl Lake {
    pub async fn open() -> Self {
        Self::with(&Config { threads: Some(2), ..Config::default() }).await
    }

    pub async fn with(config: &Config) -> Self {
        let store = TestLake::open().await;
        let seams = Seams::system();
        let catalog = Catalog::open(store.store.clone(), &catalog::Config::default(), seams.clone()).await.unwrap();
        let ingest = Ingest::new(catalog.clone(), &ingest::Config::default(), seams.clone());
        let search = Arc::new(Scripted::default());
        let query = Query::new(catalog.clone(), config, seams).unwrap().with_search(search.clone());
        Self { query, search, ingest, store }
    }

    pub async fn load(&self, name: &str, mode: Mode, csv: impl Into<Bytes>) -> u64 {
        let mut request = Request::new(name.parse().unwrap());
        request.mode = mode;
        let body = futures::stream::iter([Ok(csv.into())]);
        let outcome = self.ingest.load(request, body, &Progress::default()).await.unwrap();
        outcome.version.0
    }

    pub async fn replace(&self, name: &str, csv: impl Into<Bytes>) -> u64 {
        self.load(name, Mode::Replace, csv).await
    }

    pub async fn ask(&self, sql: &str) -> query::Result<Answer> {
        self.query.run(Ask { sql: sql.to_owned(), ..Ask::default() }).await
    }

    /// The JSON document.
    pub async fn json(&self, sql: &str) -> query::Result<Value> {
        let answer = self.ask(sql).await?;
        let bytes = answers::json(answer, 10_000).await?;
        Ok(serde_json::from_slice(&bytes).expect("a JSON document"))
    }

    /// The rows of the JSON document.
    pub async fn rows(&self, sql: &str) -> Value {
        match self.json(sql).await {
            Ok(document) => document["rows"].clone(),
            Err(error) => panic!("{sql}: {} {error}", error.code()),
        }
    }

    /// The code and message of a statement that must fail.
    pub async fn refused(&self, sql: &str) -> (String, String) {
        let shown: String = sql.chars().take(80).collect();
        match self.json(sql).await {
            Ok(document) => panic!("{shown}: answered {}", document.to_string().chars().take(200).collect::<String>()),
            Err(error) => (error.code().to_owned(), error.to_string()),
        }
    }
}

pub const PEOPLE: &str = "Id,Name,city,born,wage,active,Note\n\
    1,Alice,Berlin,1990-01-02,10.5,true,\n\
    2,Bob,Bonn,1985-12-31,20.25,false,\"\"\n\
    3,Çağla,Berlin,2000-02-29,,true,\"says \"\"hi\"\", twice\"\n";
