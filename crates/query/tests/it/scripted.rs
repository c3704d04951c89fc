//! A vector search that answers from a script.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use base::{Facts, Fault, IndexName, Kind, Version};
use query::{FieldType, IndexSearch, IndexSearches, Neighbour, SearchFault, SearchField, Sought};
use serde_json::{Map, Value, json};

/// Knows the indexes `jobs`, `odd` and `empty` (vectors of two numbers), `wide`, `huge`, and `down`, `slow` and
/// `broken`, which do not answer. Texts find the items in their order, vectors by their distance.
#[derive(Default)]
pub struct Scripted {
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    /// Every search since the last call, as `index sought k`.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A fault of another room.
#[derive(Debug)]
pub struct Refused(Kind, &'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the search says {}", self.1)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&fmt::Error)
    }
}

impl Fault for Refused {
    fn kind(&self) -> Kind {
        self.0
    }

    fn code(&self) -> &'static str {
        self.1
    }

    fn facts(&self) -> Facts {
        Facts::from_iter([("index".to_owned(), json!("jobs"))])
    }
}

struct Item {
    id: &'static str,
    at: [f32; 2],
    metadata: Value,
}

fn jobs() -> Vec<Item> {
    let item = |id, at, metadata| Item { id, at, metadata };
    vec![
        item(
            "a",
            [1.0, 0.0],
            json!({"Title": "Welder", "Year": 2020, "wage": 21.5, "remote": false, "tags": ["x", 1]}),
        ),
        item("b", [0.0, 1.0], json!({"Title": "Nurse", "Year": 2021, "wage": 30, "remote": true, "ID": "shadow"})),
        item("c", [-1.0, 0.0], json!({"Title": "Cook's \"mate\"", "Year": null, "wage": 18.25, "tags": "y"})),
        item("d", [0.0, -1.0], json!({})),
    ]
}

fn odd() -> Vec<Item> {
    vec![
        Item { id: "a", at: [0.0, 0.0], metadata: json!({"Name": "upper", "name": "lower", "n": 1}) },
        Item { id: "b", at: [0.0, 0.0], metadata: json!({"n": "one"}) },
    ]
}

fn items(index: &str) -> Result<Vec<Item>, Refused> {
    match index {
        "jobs" => Ok(jobs()),
        "odd" => Ok(odd()),
        "empty" | "wide" => Ok(Vec::new()),
        "huge" => Ok(vec![Item { id: "a", at: [0.0; 2], metadata: json!({"t": "x".repeat(8 << 20)}) }]),
        "down" => Err(Refused(Kind::Unavailable, "models.no_weights")),
        _ => Err(Refused(Kind::NotFound, "catalog.index_not_found")),
    }
}

fn neighbour(place: usize, item: Item, sought: &Sought) -> Result<Neighbour, Refused> {
    let distance = match sought {
        // Distances and scores that a text finds are the places, so that they are easy to state.
        Sought::Meaning(_) | Sought::Words(_) | Sought::Both(_) => place as f64,
        Sought::Vector(vector) => {
            let [x, y] = vector[..] else { return Err(Refused(Kind::Invalid, "vectors.dimension")) };
            f64::from((item.at[0] - x).hypot(item.at[1] - y))
        }
    };
    let Value::Object(metadata) = item.metadata else { unreachable!("metadata is an object") };
    let (distance, score) = match sought {
        Sought::Words(_) => (None, Some(-distance)),
        Sought::Both(_) => (Some(distance).filter(|_| place != 1), Some(-distance)),
        _ => (Some(distance), None),
    };
    Ok(Neighbour { id: item.id.to_owned(), distance, score, metadata })
}

#[async_trait]
impl IndexSearches for Scripted {
    async fn search(
        &self,
        index: &IndexName,
        IndexSearch { sought, k, filter }: IndexSearch,
        as_of: Option<Version>,
    ) -> Result<Vec<Neighbour>, SearchFault> {
        let then = as_of.map_or(String::new(), |version| format!(" as of {version}"));
        let only = filter.map_or(String::new(), |filter| format!(" where {filter}"));
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{index} {sought:?} {k}{only}{then}"));
        assert_ne!(std::thread::current().name(), Some("query"), "a search leaves the engine's threads alone");
        assert_ne!(index.as_str(), "broken");
        if index.as_str() == "slow" {
            futures::future::pending::<()>().await;
        }
        let items = items(index.as_str())?.into_iter().enumerate();
        let mut found = items.map(|(place, item)| neighbour(place, item, &sought)).collect::<Result<Vec<_>, _>>()?;
        let order = |found: &Neighbour| found.score.map(|score| -score).or(found.distance).unwrap_or_default();
        found.sort_by(|a, b| order(a).total_cmp(&order(b)).then_with(|| a.id.cmp(&b.id)));
        found.truncate(k);
        Ok(found)
    }

    async fn fields(&self, index: &IndexName, _: Option<Version>) -> Result<Vec<SearchField>, SearchFault> {
        let field = |(name, ty): (&str, FieldType)| SearchField { name: name.to_owned(), ty };
        Ok(match index.as_str() {
            "jobs" => [
                ("ID", FieldType::Text),
                ("Title", FieldType::Text),
                ("Year", FieldType::Integer),
                ("remote", FieldType::Boolean),
                ("tags", FieldType::Json),
                ("wage", FieldType::Number),
            ]
            .map(field)
            .to_vec(),
            // The numbers of `n` are what they were before its second item came.
            "odd" => {
                [("Name", FieldType::Text), ("n", FieldType::Integer), ("name", FieldType::Text)].map(field).to_vec()
            }
            "wide" => (0..5_000).map(|at| field((&format!("f{at:04}"), FieldType::Text))).collect(),
            "huge" => vec![field(("t", FieldType::Text))],
            _ => Vec::new(),
        })
    }
}

/// Metadata as the answers hold it: JSON text.
pub fn metadata(text: &Value) -> Map<String, Value> {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}
