//! Writing the bytes of a fragment.

use bytes::Bytes;
use uuid::Uuid;

use crate::change::{Change, Item};
use crate::error::{Error, Result};
use crate::fragment::Owner;
use crate::layout::{DELETE, Header, PUT, SECTIONS};
use crate::texts::TextsWriter;

/// The sections of a fragment being gathered.
struct Draft {
    vectors: Vec<u8>,
    steps: Vec<u8>,
    ids: TextsWriter,
    metadata: TextsWriter,
    deletes: TextsWriter,
    texts: TextsWriter,
    has_texts: bool,
    fingerprint: Option<String>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    rows: u32,
    deletes: u32,
    steps: u32,
}

/// The bytes of a fragment that holds these changes, in order. The models that they state must not differ.
pub(crate) fn encode<C: AsRef<Change>>(owner: &Owner, number: u64, writer: Uuid, changes: &[C]) -> Result<Bytes> {
    let mut draft = Draft::new();
    for change in changes {
        draft.add(change.as_ref())?;
    }
    Ok(draft.finish(owner, number, writer))
}

impl Draft {
    fn new() -> Self {
        Self {
            vectors: Vec::new(),
            steps: Vec::new(),
            ids: TextsWriter::new(),
            metadata: TextsWriter::new(),
            deletes: TextsWriter::new(),
            texts: TextsWriter::new(),
            has_texts: false,
            fingerprint: None,
            counts: Counts::default(),
        }
    }

    fn add(&mut self, change: &Change) -> Result<()> {
        let (kind, count) = match change {
            Change::Put { items, fingerprint } => {
                self.fingerprint = self.fingerprint.take().or_else(|| fingerprint.clone());
                items.iter().try_for_each(|item| self.add_item(item))?;
                (PUT, grow(&mut self.counts.rows, items.len())?)
            }
            Change::Delete { .. } | Change::DeleteSame { .. } | Change::DeleteMatching { .. } => {
                change.deleted().try_for_each(|id| self.deletes.push(id.as_bytes())).ok_or(Error::TooLarge)?;
                (DELETE, grow(&mut self.counts.deletes, change.deleted().count())?)
            }
        };
        self.steps.extend([kind, count].map(u32::to_le_bytes).as_flattened());
        grow(&mut self.counts.steps, 1).map(drop)
    }

    fn add_item(&mut self, item: &Item) -> Result<()> {
        self.vectors.extend(item.vector.iter().flat_map(|number| number.to_le_bytes()));
        let metadata = item.metadata.as_ref().map(serde_json::to_vec).transpose().map_err(|_| Error::Broken)?;
        let text = item.text.as_deref().unwrap_or_default();
        self.has_texts |= !text.is_empty();
        let texts = [
            self.ids.push(item.id.as_bytes()),
            self.metadata.push(&metadata.unwrap_or_default()),
            self.texts.push(text.as_bytes()),
        ];
        texts.into_iter().collect::<Option<()>>().ok_or(Error::TooLarge)
    }

    fn finish(self, owner: &Owner, number: u64, writer: Uuid) -> Bytes {
        let sections: [Vec<u8>; SECTIONS] = [
            self.vectors,
            self.steps,
            self.ids.finish(),
            self.metadata.finish(),
            self.deletes.finish(),
            self.fingerprint.unwrap_or_default().into_bytes(),
            if self.has_texts { self.texts.finish() } else { Vec::new() },
        ];
        let header = Header {
            number,
            index: owner.index,
            writer,
            dimension: owner.dimension,
            rows: self.counts.rows,
            deletes: self.counts.deletes,
            steps: self.counts.steps,
            sections: sections.each_ref().map(|section| (section.len() as u64, crc32c::crc32c(section))),
        };
        let pieces = [header.encode().to_vec()].into_iter().chain(sections);
        pieces.collect::<Vec<_>>().concat().into()
    }
}

/// Counts so many more, and answers how many those are.
fn grow(count: &mut u32, by: usize) -> Result<u32> {
    let by = u32::try_from(by).map_err(|_| Error::TooLarge)?;
    *count = count.checked_add(by).ok_or(Error::TooLarge)?;
    Ok(by)
}
