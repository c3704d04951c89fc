//! Pages of names, as the protocol turns them: only for clients that ask with a token, be it an empty one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::error::Error;

/// Names on a page when the request does not say.
const DEFAULT_PAGE: usize = 1000;

/// Which page is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageAsked {
    page_token: Option<String>,
    page_size: Option<String>,
    /// The namespace whose inner ones are asked for.
    pub parent: Option<String>,
}

impl PageAsked {
    /// The page of `names`, which stand in the order of `key`, and the token of the next one.
    pub fn page<K: Ord>(
        &self,
        mut names: Vec<String>,
        key: impl Fn(&str) -> K,
    ) -> Result<(Vec<String>, Option<String>), Error> {
        let Some(token) = &self.page_token else { return Ok((names, None)) };
        let size = self.page_size.as_deref().map_or(Ok(DEFAULT_PAGE), str::parse);
        let size = size.ok().filter(|size| *size > 0);
        let size = size.ok_or_else(|| Error::Parameter("pageSize is a number from 1 on".to_owned()))?;
        if !token.is_empty() {
            let last = key(&read(token)?);
            names.retain(|name| key(name) > last);
        }
        let more = names.len() > size;
        names.truncate(size);
        let next = names.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(last));
        Ok((names, next))
    }
}

/// A token holds the last name of the page before.
fn read(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| Error::Parameter("pageToken is not one that was given out here".to_owned()))
}
