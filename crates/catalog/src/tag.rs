//! Tags: names that people give to versions. A tagged version outlives expiry.

use async_trait::async_trait;
use base::{AsOf, Tag, Version};

use crate::catalog::Catalog;
use crate::committer::{Description, Proposal, Settled, Subject};
use crate::error::{Error, Result};
use crate::near::near;
use crate::record::Change;
use crate::state::State;

/// A tag as it was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The version that it names.
    pub version: Version,
    /// The version that it named before, when that was another one.
    pub moved_from: Option<Version>,
    /// The version in which it does.
    pub at: Version,
}

impl Catalog {
    /// The version that a tag names, and the version in which it does. When the newest version does not know the tag,
    /// the store is asked, as another process may just have put it.
    pub async fn tag(&self, tag: &Tag) -> Result<(Version, Version)> {
        let mut pin = self.pin(None).await?;
        if !pin.state.tags.contains_key(tag) {
            pin = self.pin_fresh().await?;
        }
        let named = pin.state.tags.get(tag).ok_or_else(|| not_found(&pin.state, tag))?;
        Ok((*named, pin.version()))
    }

    /// Gives a version a name, or moves the name to it; without a version, to the newest.
    pub async fn put_tag(&self, tag: &Tag, version: Option<&AsOf>, author: &str) -> Result<Tagged> {
        let version = match version {
            None => None,
            Some(AsOf::Version(version)) if *version <= self.known_head() => Some(*version),
            Some(as_of) => Some(self.room.past.version(as_of).await?),
        };
        let settled = self.put_through(Tagging::new(tag, author, Wish::Put(version))).await?;
        let bug = || Error::Bug { doing: "answering a commit", source: "its tag is not there".into() };
        let version = *settled.state.tags.get(tag).ok_or_else(bug)?;
        let moved_from = settled.before.tags.get(tag).copied().filter(|before| *before != version);
        let at = if settled.committed { settled.state.version } else { self.known_head() };
        Ok(Tagged { version, moved_from, at })
    }

    /// Drops a tag: the first version without it.
    pub async fn drop_tag(&self, tag: &Tag, author: &str) -> Result<Version> {
        let settled = self.put_through(Tagging::new(tag, author, Wish::Drop)).await?;
        Ok(settled.state.version)
    }
}

/// A change of one tag on its way through the committer.
struct Tagging {
    tag: Tag,
    author: String,
    wish: Wish,
}

enum Wish {
    /// Name this version, or the newest.
    Put(Option<Version>),
    Drop,
}

impl Tagging {
    fn new(tag: &Tag, author: &str, wish: Wish) -> Self {
        Self { tag: tag.clone(), author: author.to_owned(), wish }
    }
}

#[async_trait]
impl Proposal for Tagging {
    fn subject(&self) -> Subject {
        Subject::Tag(self.tag.clone())
    }

    fn describe(&self) -> Description {
        let tag = &self.tag;
        let message = match self.wish {
            Wish::Put(Some(version)) => format!("tag version {version} as {tag}"),
            Wish::Put(None) => format!("tag the newest version as {tag}"),
            Wish::Drop => format!("drop tag {tag}"),
        };
        Description { author: self.author.clone(), message, idempotency_key: None, request: None }
    }

    async fn decide(&mut self, state: &State) -> Result<Vec<Change>> {
        let (tag, named) = (self.tag.clone(), state.tags.get(&self.tag).copied());
        match self.wish {
            Wish::Put(version) => {
                let version = version.unwrap_or(state.published());
                state.expect(version)?;
                Ok(if named == Some(version) { Vec::new() } else { vec![Change::TagPut { tag, version }] })
            }
            Wish::Drop if named.is_some() => Ok(vec![Change::TagDrop { tag }]),
            Wish::Drop => Err(not_found(state, &tag)),
        }
    }

    async fn settle(&mut self, _: &Result<Settled>) {}
}

/// The refusal of a tag that `state` does not hold.
pub(crate) fn not_found(state: &State, tag: &Tag) -> Error {
    Error::UnknownTag { tag: tag.clone(), near: near(tag.as_str(), state.tags.keys().map(ToString::to_string)) }
}
