//! Items added, replaced, deleted and sealed in one index, while segments are joined, SIGKILL at a random moment, a
//! restart, the ledger compared; again and again.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use smokes::probe::{Probe, Reply};
use smokes::stack::{Ground, Site};

use super::figure;
use super::lot::Lot;

use crate::command::BINARY;

/// The shortest and the longest life of a process, in milliseconds.
const SHORTEST: u64 = 30;
const LONGEST: u64 = 700;
const CLIENTS: u64 = 4;
/// Items that each client has in hand.
const SLOTS: usize = 40;
/// The most items of one write.
const BATCH: u64 = 6;
const DIMENSION: usize = 8;
/// What a stored vector may be away from itself.
const ITSELF: f64 = 1e-6;

pub async fn run(kills: u64, seed: u64) -> anyhow::Result<()> {
    figure(&format!("vectors: seed {seed}, {kills} kills"))?;
    let site = Site::new(&Ground::directory(BINARY))?;
    create(&site).await?;
    let mut books: Vec<Book> = (0..CLIENTS).map(|client| Book::of(client, seed)).collect();
    let mut lot = Lot::of(seed);
    for round in 0..kills {
        let stack = site.start(&[]).await.with_context(|| format!("start {round}"))?;
        let probe = Probe::of(stack.gateway()?)?;
        check(&mut books, &probe).await.with_context(|| format!("seed {seed}, after kill {round}"))?;
        let client = |book: Book| storage::task::spawn("a client", book.work(probe.clone()));
        let clients: Vec<_> = books.drain(..).map(client).collect();
        tokio::time::sleep(Duration::from_millis(SHORTEST + lot.below(LONGEST - SHORTEST))).await;
        stack.kill().await?;
        for client in clients {
            books.push(client.await?.with_context(|| format!("seed {seed}, before kill {round}"))?);
        }
    }
    let stack = site.start(&[]).await?;
    check(&mut books, &Probe::of(stack.gateway()?)?).await.with_context(|| format!("seed {seed}, at the end"))?;
    let (sent, told): (u64, u64) = books.iter().fold((0, 0), |(sent, told), book| (sent + book.sent, told + book.told));
    figure(&format!("vectors: {kills} kills, {sent} writes sent, {told} acknowledged, none lost, none half there"))?;
    stack.stop().await
}

async fn create(site: &Site) -> anyhow::Result<()> {
    let stack = site.start(&[]).await?;
    let index = json!({ "name": "soak", "dimension": DIMENSION });
    Probe::of(stack.gateway()?)?.post("/v1/vectors/index", &index).await?.expect(201)?;
    stack.stop().await
}

/// What an index holds under one id: the write that gave it its vector, and the one that gave it its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    written: u64,
    described: Option<u64>,
}

/// What one client has told the index, and was told: the only one who writes its ids.
struct Book {
    client: u64,
    lot: Lot,
    sent: u64,
    told: u64,
    slots: Vec<Option<Held>>,
    /// The slots as the write without an answer would leave them.
    doubt: Option<Vec<Option<Held>>>,
}

/// One write of a client, to some of its slots.
#[derive(Debug)]
enum Write {
    Put(Vec<usize>),
    Delete(Vec<usize>),
    DeleteOne(usize),
    /// No items, but a seal of those there are.
    Seal,
}

impl Book {
    fn of(client: u64, seed: u64) -> Self {
        Self { client, lot: Lot::of(seed ^ (client << 32)), sent: 0, told: 0, slots: vec![None; SLOTS], doubt: None }
    }

    /// Writes until the process is gone.
    async fn work(mut self, probe: Probe) -> anyhow::Result<Self> {
        loop {
            let write = self.draw();
            self.sent += 1;
            self.doubt = Some(self.after(&write));
            let Ok(reply) = self.send(&write, &probe).await else { return Ok(self) };
            self.expect(&write, &reply).with_context(|| format!("{write:?} is answered {reply:?}"))?;
            self.slots = self.doubt.take().context("what was sent")?;
            self.told += 1;
            if let Write::Put(slots) = &write {
                let slot = slots[0];
                let Ok(nearest) = self.nearest(slot, self.sent, &probe).await else { return Ok(self) };
                self.expect_itself(slot, &nearest.expect(200)?).context("just added")?;
            }
        }
    }

    fn draw(&mut self) -> Write {
        let kind = self.lot.below(11);
        let first = self.lot.below(SLOTS as u64) as usize;
        let count = 1 + self.lot.below(BATCH) as usize;
        let slots = (first..first + count).map(|slot| slot % SLOTS).collect();
        match kind {
            0..6 => Write::Put(slots),
            6..8 => Write::Delete(slots),
            8..10 => Write::DeleteOne(first),
            _ => Write::Seal,
        }
    }

    /// Every other write describes its items; where it does not, the metadata stay as they were.
    fn describes(&self) -> bool {
        self.sent.is_multiple_of(2)
    }

    fn after(&self, write: &Write) -> Vec<Option<Held>> {
        let mut slots = self.slots.clone();
        match write {
            Write::Put(put) => put.iter().for_each(|slot| {
                let kept = slots[*slot].and_then(|held| held.described);
                let described = if self.describes() { Some(self.sent) } else { kept };
                slots[*slot] = Some(Held { written: self.sent, described });
            }),
            Write::Delete(deleted) => deleted.iter().for_each(|slot| slots[*slot] = None),
            Write::DeleteOne(slot) => slots[*slot] = None,
            Write::Seal => {}
        }
        slots
    }

    async fn send(&self, write: &Write, probe: &Probe) -> anyhow::Result<Reply> {
        match write {
            Write::Put(slots) => {
                let items: Vec<Value> = slots.iter().map(|slot| self.item(*slot)).collect();
                probe.post("/v1/vectors/index/soak/add", &json!({ "items": items })).await
            }
            Write::Delete(slots) => {
                let ids: Vec<String> = slots.iter().map(|slot| self.id(*slot)).collect();
                probe.post("/v1/vectors/index/soak/delete", &json!({ "ids": ids })).await
            }
            Write::DeleteOne(slot) => probe.delete(&self.path(*slot)).await,
            Write::Seal => probe.post("/v1/vectors/index/soak/seal", &json!({})).await,
        }
    }

    fn item(&self, slot: usize) -> Value {
        let mut item = json!({ "id": self.id(slot), "vector": self.vector(slot, self.sent) });
        if self.describes() {
            item["metadata"] = json!({ "write": self.sent });
        }
        item
    }

    /// Nobody else writes these ids, so what the answer counts is known.
    fn expect(&self, write: &Write, reply: &Reply) -> anyhow::Result<()> {
        let there = |slots: &[usize]| slots.iter().filter(|slot| self.slots[**slot].is_some()).count();
        let (status, counts) = match write {
            Write::Put(slots) => (200, Some(("updated", there(slots), "added", slots.len()))),
            Write::Delete(slots) => (200, Some(("deleted", there(slots), "missing", slots.len()))),
            Write::DeleteOne(slot) => (if self.slots[*slot].is_some() { 204 } else { 404 }, None),
            Write::Seal => (200, None),
        };
        ensure!(reply.status == status, "not {status}");
        if let Some((known, there, new, all)) = counts {
            let answer = reply.json()?;
            ensure!(answer[known] == there && answer[new] == all - there, "{known} is not {there} of {all}");
        }
        Ok(())
    }

    fn id(&self, slot: usize) -> String {
        format!("{}-{slot}", self.client)
    }

    fn path(&self, slot: usize) -> String {
        format!("/v1/vectors/index/soak/items/{}", self.id(slot))
    }

    /// The vector that a write gave to a slot; no two alike.
    fn vector(&self, slot: usize, write: u64) -> Vec<f32> {
        let mut lot = Lot::of((self.client << 56) ^ ((slot as u64) << 40) ^ write);
        (0..DIMENSION).map(|_| lot.below(2_000_001) as f32 / 1e6 - 1.0).collect()
    }

    async fn nearest(&self, slot: usize, write: u64, probe: &Probe) -> anyhow::Result<Reply> {
        let near = json!({ "vector": self.vector(slot, write), "k": 1 });
        probe.post("/v1/vectors/index/soak/search", &near).await
    }

    fn expect_itself(&self, slot: usize, nearest: &Reply) -> anyhow::Result<()> {
        let answer = nearest.json()?;
        let first = &answer["results"][0];
        let near = first["distance"].as_f64().is_some_and(|distance| distance <= ITSELF);
        ensure!(near && first["id"] == self.id(slot), "{} does not find itself: {answer}", self.id(slot));
        Ok(())
    }

    /// Compares what the index holds with what was told; a write without an answer is there as a whole or not at all.
    async fn check(&mut self, probe: &Probe) -> anyhow::Result<usize> {
        let mut found = Vec::new();
        for slot in 0..SLOTS {
            found.push(self.look(slot, probe).await?);
        }
        let right = found == self.slots || self.doubt.as_ref() == Some(&found);
        ensure!(right, "told {:?}, in doubt {:?}, there {found:?}", self.slots, self.doubt);
        (self.slots, self.doubt) = (found, None);
        for slot in 0..SLOTS {
            if let Some(held) = self.slots[slot] {
                self.expect_itself(slot, &self.nearest(slot, held.written, probe).await?.expect(200)?)?;
            }
        }
        Ok(self.slots.iter().flatten().count())
    }

    /// What is under the id of a slot, if it is what some write of the slot would have left.
    async fn look(&self, slot: usize, probe: &Probe) -> anyhow::Result<Option<Held>> {
        let reply = probe.get(&self.path(slot)).await?;
        if reply.status == 404 {
            return Ok(None);
        }
        let item = reply.expect(200)?.json()?;
        let vector: Vec<f32> = serde_json::from_value(item["vector"].clone())?;
        let mut writes = self.slots.iter().chain(self.doubt.iter().flatten()).flatten().map(|held| held.written);
        let written = writes.find(|write| self.vector(slot, *write) == vector);
        let written = written.with_context(|| format!("{item} was never sent"))?;
        Ok(Some(Held { written, described: item["metadata"]["write"].as_u64() }))
    }
}

/// Compares all, and the length that the index states.
async fn check(books: &mut [Book], probe: &Probe) -> anyhow::Result<()> {
    let mut length = 0;
    for book in books {
        length += book.check(probe).await.with_context(|| format!("client {}", book.client))?;
    }
    let index = probe.get("/v1/vectors/index/soak").await?.expect(200)?.json()?;
    ensure!(index["length"] == length, "{length} items are there, and the index states {index}");
    Ok(())
}
