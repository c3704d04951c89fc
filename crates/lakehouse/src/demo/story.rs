//! The demo's chapters, in order.

use anyhow::ensure;
use base::{AsOf, Version};
use client::{Ask, Body, Client, Ingested, Load};
use models::Models;

use super::people::{Month, PEOPLE, roster};
use super::{compare, fetch, sample};
use crate::cli::Demo;
use crate::commands::{describe, show_load, show_rows};
use crate::output::{Output, described, grouped};

const BEST_PAID: &str = "SELECT title, hourly_p25, hourly_median, hourly_p75 FROM wages \
                         WHERE state = 'OH' AND employment > 20000 ORDER BY hourly_median DESC LIMIT 5";
const WHERE_PEOPLE_ARE: &str = "SELECT state, COUNT(*) AS people, ROUND(AVG(hourly_rate), 2) AS mean_rate FROM workers \
                                WHERE status = 'active' GROUP BY state ORDER BY people DESC LIMIT 5";
const BELOW_THE_MEDIAN: &str = "SELECT w.occupation, COUNT(*) AS people, \
                                ROUND(AVG(w.hourly_rate - g.hourly_median), 2) AS to_median \
                                FROM workers w JOIN wages g ON g.state = w.state AND g.occupation_code = w.occupation_code \
                                WHERE w.state = 'OH' GROUP BY w.occupation HAVING COUNT(*) >= 5 \
                                ORDER BY to_median LIMIT 5";
const A_MONTH: &str = "SELECT COUNT(*) AS people, ROUND(AVG(hourly_rate), 3) AS mean_rate, \
                       COUNT(*) FILTER (WHERE status = 'active') AS active FROM workers";
const ROWS: &str = "SELECT badge, name, city, state, shift, hourly_rate, status FROM workers";

/// Tells the demo through one client.
pub struct Story<'a> {
    pub(super) client: &'a Client,
    pub(super) output: Output,
    chapter: std::cell::Cell<u32>,
}

impl<'a> Story<'a> {
    pub fn new(client: &'a Client, output: Output) -> Self {
        Self { client, output, chapter: std::cell::Cell::new(0) }
    }

    pub async fn tell(&self, demo: &Demo, models: &Models) -> anyhow::Result<()> {
        self.figures(demo).await?;
        let october = self.first_month().await?;
        self.questions().await?;
        let november = self.second_month().await?;
        self.difference(october.version, november.version).await?;
        self.refusal().await?;
        self.meaning(demo, models).await
    }

    async fn figures(&self, demo: &Demo) -> anyhow::Result<()> {
        self.heading("Real figures become tables")?;
        self.say("Wages: US Bureau of Labor Statistics, OEWS May 2025, public domain. Places: GeoNames, CC BY 4.0.")?;
        for (name, csv) in [("occupations", sample::OCCUPATIONS), ("places", sample::PLACES), ("wages", sample::WAGES)]
        {
            self.load(name, csv.to_owned()).await?;
        }
        if !demo.offline {
            self.full_wages().await?;
        }
        self.ask(BEST_PAID).await
    }

    /// The whole survey, when it can be fetched; a demo without it is a demo all the same.
    async fn full_wages(&self) -> anyhow::Result<()> {
        let directory = tempfile::tempdir()?;
        self.output.remark("Fetching the full wage table; half a minute at most …");
        match fetch::csv(fetch::WAGES, directory.path()).await {
            Ok(table) => {
                let file = tokio::fs::File::open(&table).await?;
                let size = file.metadata().await?.len();
                let body = Body::stream(tokio_util::io::ReaderStream::with_capacity(file, 256 << 10));
                show_load(&self.client.ingest(&named("wages_full"), body, Some(size)).await?, self.output)
            }
            Err(reason) => self.say(&format!("The full wage table (370,172 rows) is left out: {reason:#}.")),
        }
    }

    async fn first_month(&self) -> anyhow::Result<Ingested> {
        self.heading("A roster arrives: October")?;
        let count = grouped(PEOPLE.into());
        self.say(&format!(
            "{count} people, generated from those occupations, wages and places. None of them is real."
        ))?;
        let loaded = self.load("workers", roster(Month::October)).await?;
        describe(&self.client.manifest("workers", None).await?, self.output)?;
        self.say("badge kept its leading zeros, and notes their line breaks: a type is decided by all values.")?;
        Ok(loaded)
    }

    async fn questions(&self) -> anyhow::Result<()> {
        self.heading("SQL answers")?;
        self.ask(WHERE_PEOPLE_ARE).await?;
        self.say("Who in Ohio is paid least, measured by the state's median for the same work:")?;
        self.ask(BELOW_THE_MEDIAN).await
    }

    async fn second_month(&self) -> anyhow::Result<Ingested> {
        self.heading("A month later the same file comes again, changed")?;
        let loaded = self.load("workers", roster(Month::November)).await?;
        let again = self.load("workers", roster(Month::November)).await?;
        ensure!(again.existing && again.version == loaded.version, "the same bytes made a version");
        self.say("The same bytes make no new version.")?;
        Ok(loaded)
    }

    async fn difference(&self, october: Version, november: Version) -> anyhow::Result<()> {
        self.heading("Both months still answer")?;
        self.ask_as_of(A_MONTH, october).await?;
        self.ask_as_of(A_MONTH, november).await?;
        let difference = compare::between(self.client, ROWS, october, november).await?;
        self.say(&format!(
            "Row by row (asked as of {october} and as of {november}, compared by badge): {} joined, {} left, {} changed.",
            grouped(difference.joined.len() as u64),
            grouped(difference.left.len() as u64),
            grouped(difference.changed.len() as u64),
        ))?;
        Ok(self.output.drawn(&difference.sheet(4))?)
    }

    async fn refusal(&self) -> anyhow::Result<()> {
        self.heading("A file that does not fit is refused")?;
        let csv =
            "badge,name,email,occupation_code,occupation,city,state,shift,rate,years,status,available_from,note\n";
        let outcome = self.client.ingest(&named("workers"), csv.to_owned().into(), Some(csv.len() as u64)).await;
        let error = outcome.err().ok_or_else(|| anyhow::anyhow!("a drifting file was accepted"))?;
        let problem = error.problem().ok_or_else(|| anyhow::anyhow!("the refusal is no refusal: {error}"))?;
        self.output.line(format!("{} {}: {}", problem.status, problem.code, problem.detail))?;
        for (name, value) in &problem.facts {
            described(name, value).iter().try_for_each(|line| self.output.line(format!("  {line}")))?;
        }
        self.say("Nothing changed:")?;
        self.ask("SELECT COUNT(*) AS people FROM workers").await
    }

    async fn load(&self, name: &str, csv: String) -> anyhow::Result<Ingested> {
        let size = csv.len() as u64;
        let loaded = self.client.ingest(&named(name), csv.into(), Some(size)).await?;
        show_load(&loaded, self.output)?;
        Ok(loaded)
    }

    pub(super) async fn ask(&self, sql: &str) -> anyhow::Result<()> {
        self.asked(Ask { sql: sql.to_owned(), ..Ask::default() }, "").await
    }

    async fn ask_as_of(&self, sql: &str, version: Version) -> anyhow::Result<()> {
        let as_of = Some(AsOf::Version(version));
        self.asked(Ask { sql: sql.to_owned(), as_of, ..Ask::default() }, &format!("   -- as of {version}")).await
    }

    async fn asked(&self, ask: Ask, remark: &str) -> anyhow::Result<()> {
        self.output.line(self.output.dim(&format!("> {}{remark}", ask.sql)))?;
        show_rows(&self.client.sql(&ask).await?, self.output)
    }

    pub(super) fn heading(&self, text: &str) -> anyhow::Result<()> {
        self.chapter.set(self.chapter.get() + 1);
        self.output.line("")?;
        Ok(self.output.line(self.output.bold(&format!("{}. {text}", self.chapter.get())))?)
    }

    pub(super) fn say(&self, text: &str) -> anyhow::Result<()> {
        Ok(self.output.line(text)?)
    }
}

fn named(name: &str) -> Load {
    Load { name: name.to_owned(), ..Load::default() }
}
