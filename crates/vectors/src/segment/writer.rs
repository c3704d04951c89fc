//! Writing a segment: section by section in pieces, so that memory holds some bytes a row and never the vectors.

use std::sync::Arc;

use bytes::Bytes;
use storage::{Store, task};
use uuid::Uuid;

use super::Hash;
use super::layout::{
    ALIGNMENT, CHUNK, FORMAT, Footer, HEAD, ID_ENDS, IDS, LOOKUP, METADATA, METADATA_ENDS, SCALES, SECTIONS, TEXT_ENDS,
    TEXTS, VECTORS, head, sections,
};
use crate::block::{Block, inverse};
use crate::error::{Error, Result};
use crate::fragment::Owner;
use crate::layout::TEXTLESS;

/// About how many bytes are gathered before they go to the store.
const PIECE: usize = 4 << 20;

/// Rows of one block that shall be in a segment.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub block: Arc<Block>,
    /// In the order in which they are written.
    pub rows: Vec<u32>,
}

/// Writes a segment of these rows, each of another item, that fragments up to this one have left.
pub(crate) async fn write(
    store: &Store,
    path: &str,
    owner: &Owner,
    (fragment, segment): (u64, Uuid),
    parts: Vec<Part>,
) -> Result<()> {
    let has_texts = parts.iter().any(|part| part.block.has_texts());
    let mut draft = Draft::new(
        parts,
        Footer {
            format: if has_texts { FORMAT } else { TEXTLESS },
            fragment,
            index: owner.index,
            segment,
            dimension: owner.dimension,
            rows: 0,
            sections: [const { 0..0 }; SECTIONS],
            sums: (0, 0),
        },
    )?;
    let mut writer = store.writer(path).await?;
    loop {
        let next = move || draft.next().map(|piece| (piece, draft));
        let (piece, rest) = task::blocking("write a segment", next).await.map_err(|_| Error::Broken)??;
        match piece {
            Some(piece) => writer.append(piece).await?,
            None => break,
        }
        draft = rest;
    }
    writer.finish().await?;
    Ok(())
}

/// A segment on its way into its file.
struct Draft {
    parts: Vec<Part>,
    footer: Footer,
    /// The section that is being written, and the part and the row within it that come next.
    section: usize,
    next: (usize, usize),
    /// Where each text of the section that was written last ends.
    ends: Vec<u64>,
    lookup: Vec<(u32, u32)>,
    written: usize,
    sums: Sums,
    is_done: bool,
}

impl Draft {
    fn new(parts: Vec<Part>, footer: Footer) -> Result<Self> {
        let rows: usize = parts.iter().map(|part| part.rows.len()).sum();
        if rows >= u32::MAX as usize {
            return Err(Error::TooLarge);
        }
        let footer = Footer { rows: rows as u64, ..footer };
        // At most three slots of four are taken.
        let slots = (rows + rows / 3 + 1).next_power_of_two();
        Ok(Self {
            parts,
            footer,
            section: VECTORS,
            next: (0, 0),
            ends: Vec::new(),
            lookup: vec![(0, 0); slots],
            written: 0,
            sums: Sums::default(),
            is_done: false,
        })
    }

    /// The next piece of the file; none when it is whole.
    fn next(&mut self) -> Result<Option<Bytes>> {
        if self.is_done {
            return Ok(None);
        }
        let mut piece = Vec::with_capacity(PIECE);
        if self.written == 0 {
            piece.extend_from_slice(&head(self.footer.format));
            self.footer.sections[VECTORS].start = HEAD;
        }
        let sections = sections(self.footer.format);
        while self.section < sections && piece.len() < PIECE {
            if self.fill(&mut piece)? {
                self.end_section(&mut piece);
            }
        }
        self.written += piece.len();
        self.sums.take(&piece);
        if self.section == sections {
            self.end(&mut piece);
        }
        Ok(Some(piece.into()))
    }

    /// Adds to a piece what it has room for of the section; whether that was the rest.
    fn fill(&mut self, piece: &mut Vec<u8>) -> Result<bool> {
        match self.section {
            ID_ENDS | METADATA_ENDS | TEXT_ENDS => piece.extend(self.ends.drain(..).flat_map(u64::to_le_bytes)),
            LOOKUP => {
                let slots = std::mem::take(&mut self.lookup);
                piece.extend(slots.into_iter().flat_map(|(row, tag)| [row, tag]).flat_map(u32::to_le_bytes));
            }
            _ => return self.fill_rows(piece),
        }
        Ok(true)
    }

    fn fill_rows(&mut self, piece: &mut Vec<u8>) -> Result<bool> {
        while let Some(part) = self.parts.get(self.next.0) {
            let Some(row) = part.rows.get(self.next.1) else {
                self.next = (self.next.0 + 1, 0);
                continue;
            };
            if piece.len() >= PIECE {
                return Ok(false);
            }
            let (block, row) = (Arc::clone(&part.block), *row as usize);
            self.next.1 += 1;
            self.add(&block, row, piece)?;
        }
        self.next = (0, 0);
        Ok(true)
    }

    fn add(&mut self, block: &Block, row: usize, piece: &mut Vec<u8>) -> Result<()> {
        match self.section {
            VECTORS => piece.extend(block.vector(row)?.iter().flat_map(|number| number.to_le_bytes())),
            SCALES => piece.extend_from_slice(&inverse(block.vector(row)?).to_le_bytes()),
            IDS => {
                let id = block.id(row)?;
                self.look_up(id);
                self.add_text(id.as_bytes(), piece);
            }
            METADATA => self.add_text(block.metadata(row)?.unwrap_or_default(), piece),
            TEXTS => self.add_text(block.text(row)?.unwrap_or_default().as_bytes(), piece),
            _ => {}
        }
        Ok(())
    }

    fn add_text(&mut self, text: &[u8], piece: &mut Vec<u8>) {
        piece.extend_from_slice(text);
        let begin = self.ends.last().copied().unwrap_or_default();
        self.ends.push(begin + text.len() as u64);
    }

    /// Notes the id of the next row.
    fn look_up(&mut self, id: &str) {
        let (hash, row) = (Hash::of(id), self.ends.len() as u32 + 1);
        let last = self.lookup.len() - 1;
        let mut at = hash.slot(self.lookup.len());
        while self.lookup[at].0 != 0 {
            at = (at + 1) & last;
        }
        self.lookup[at] = (row, hash.tag());
    }

    fn end_section(&mut self, piece: &mut Vec<u8>) {
        self.footer.sections[self.section].end = self.written + piece.len();
        let begin = (self.written + piece.len()).next_multiple_of(ALIGNMENT);
        piece.resize(begin - self.written, 0);
        self.section += 1;
        if self.section < sections(self.footer.format) {
            self.footer.sections[self.section].start = begin;
        }
    }

    /// Adds the sums and the footer.
    fn end(&mut self, piece: &mut Vec<u8>) {
        let sums: Vec<u8> = self.sums.end().into_iter().flat_map(u32::to_le_bytes).collect();
        self.footer.sums = (self.written, crc32c::crc32c(&sums));
        piece.extend_from_slice(&sums);
        piece.extend_from_slice(&self.footer.encode());
        self.is_done = true;
    }
}

/// The checksums of the chunks of what goes by.
#[derive(Default)]
struct Sums {
    done: Vec<u32>,
    /// The checksum of the chunk that is not full yet, and how many bytes that has.
    open: (u32, usize),
}

impl Sums {
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.open.1));
            self.open = (crc32c::crc32c_append(self.open.0, now), self.open.1 + now.len());
            bytes = later;
            if self.open.1 == CHUNK {
                self.done.push(self.open.0);
                self.open = (0, 0);
            }
        }
    }

    fn end(&mut self) -> Vec<u32> {
        self.done.extend((self.open.1 > 0).then_some(self.open.0));
        std::mem::take(&mut self.done)
    }
}
