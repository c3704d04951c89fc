//! The demo's second half: texts become vectors that are found by meaning, and joined with the tables.

use std::time::Instant;

use anyhow::Context;
use base::{Fault, Kind};
use client::{Index, NewIndex, TextBatch, TextItem};
use models::{Models, Overflow};

use super::story::Story;
use super::{Demo, fetch, texts};
use crate::commands::{fetching, show_found};
use crate::output::grouped;

/// What is sought: no skill says it in these words.
const SOUGHT: &str = "someone who moves pallets in a warehouse";
const ELSEWHERE: &str = "keeps thieves out at night";
/// How many texts one request holds.
const BATCH: usize = 128;
const FOUND: usize = 5;

const WHO_AND_FOR_HOW_MUCH: &str = "SELECT w.name, w.city, w.occupation, w.hourly_rate, g.hourly_median, s.distance \
    FROM (SELECT occupation_code, ROUND(MIN(distance), 3) AS distance \
          FROM vector_search('skills', 'someone who moves pallets in a warehouse', 5) GROUP BY occupation_code) s \
    JOIN workers w ON w.occupation_code = s.occupation_code \
    JOIN wages g ON g.state = w.state AND g.occupation_code = w.occupation_code \
    WHERE w.state = 'OH' AND w.status = 'active' AND w.shift = 'second' AND w.hourly_rate <= g.hourly_median \
    ORDER BY s.distance, w.hourly_rate LIMIT 6";
const WHERE_THEY_ARE: &str = "SELECT w.state, COUNT(*) AS people, ROUND(AVG(w.hourly_rate), 2) AS mean_rate \
    FROM workers w JOIN vector_search('jobs', 'keeps thieves out at night', 3) j ON j.id = w.occupation_code \
    WHERE w.status = 'active' AND j.distance < 0.6 GROUP BY w.state ORDER BY people DESC LIMIT 5";

impl Story<'_> {
    /// Everything that needs the model; without it, says so and how it can be had.
    pub async fn meaning(&self, demo: &Demo, models: &Models) -> anyhow::Result<()> {
        self.heading("Texts become vectors")?;
        if !self.has_model(models).await? {
            return Ok(());
        }
        self.index("jobs", texts::titles()).await?;
        self.index("skills", texts::skills()).await?;
        let esco = if demo.offline { None } else { self.esco().await? };
        self.heading("Found by meaning")?;
        self.search("skills", SOUGHT).await?;
        self.search("jobs", ELSEWHERE).await?;
        if let Some(index) = esco {
            self.search(index, SOUGHT).await?;
        }
        self.heading("The same search, joined with workers and wages")?;
        self.ask(WHO_AND_FOR_HOW_MUCH).await?;
        self.ask(WHERE_THEY_ARE).await
    }

    /// Reads one text, for which the model is fetched and loaded.
    async fn has_model(&self, models: &Models) -> anyhow::Result<bool> {
        let embedder = models.embedder(None)?;
        let begun = Instant::now();
        let reading = async {
            embedder.embed(&[SOUGHT.into()], Overflow::Truncate).await?;
            embedder.card().await
        };
        match fetching(Some(models.progress()), reading).await? {
            Ok(card) => {
                let (name, seconds) = (&card.name, begun.elapsed().as_secs_f64());
                self.say(&format!("{name}, {} numbers a text, ready in {seconds:.1} s.", card.dimension))?;
                Ok(true)
            }
            Err(reason) if reason.kind() == Kind::Unavailable => {
                self.say("This half of the demo is left out, everything above works without it:")?;
                self.say(&format!("{reason}."))?;
                Ok(false)
            }
            Err(reason) => Err(reason.into()),
        }
    }

    /// The sentences of ESCO, when they can be fetched.
    async fn esco(&self) -> anyhow::Result<Option<&'static str>> {
        let directory = tempfile::tempdir()?;
        match fetch::csv(fetch::TEXTS, directory.path()).await {
            Ok(file) => {
                self.say("Sentences about occupations and skills: ESCO, © European Union, reuse with attribution.")?;
                self.index("esco", texts::esco(&file).await?).await.map(|()| Some("esco"))
            }
            Err(reason) => self.say(&format!("ESCO's sentences are left out: {reason:#}.")).map(|()| None),
        }
    }

    /// Makes an index of texts; one that an earlier run filled is left as it is.
    async fn index(&self, name: &str, items: Vec<TextItem>) -> anyhow::Result<()> {
        let index = self.made(name).await?;
        let (begun, count) = (Instant::now(), items.len());
        if index.length == Some(count as u64) {
            return self.say(&format!("{name} already holds its {} texts.", grouped(count as u64)));
        }
        for batch in items.chunks(BATCH) {
            let batch =
                TextBatch { items: batch.to_vec(), overflow: Some("truncate".to_owned()), ..TextBatch::default() };
            self.client.add_texts(name, &batch).await?;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let speed = grouped((count as f64 / seconds) as u64);
        self.say(&format!("{name}: {} texts in {seconds:.1} s, {speed} a second, each durable.", grouped(count as u64)))
    }

    async fn made(&self, name: &str) -> anyhow::Result<Index> {
        match self.client.index(name).await {
            Err(error) if error.kind() == Kind::NotFound => {}
            told => return Ok(told?),
        }
        let card =
            self.client.embed(&client::Embed { texts: vec![name.to_owned()], ..client::Embed::default() }).await?;
        let dimension = u32::try_from(card.dimension)?;
        let index = NewIndex { name: name.to_owned(), dimension, model: Some(card.model), ..NewIndex::default() };
        Ok(self.client.create_index(&index).await?)
    }

    async fn search(&self, index: &str, text: &str) -> anyhow::Result<()> {
        self.output.line(self.output.dim(&format!("> search {index} {text:?}")))?;
        let found = self.client.search_text(index, text, FOUND).await?;
        show_found(&found, self.output)?;
        let nearest = found.results.first().context("nothing was found")?;
        let fields = nearest.metadata.values().filter_map(|value| value.as_str());
        let shared: Vec<String> = fields.flat_map(|field| texts::shared_words(text, field)).collect();
        if shared.is_empty() {
            return self.say("The nearest shares no word with what was sought.");
        }
        Ok(())
    }
}
