//! Data files that tell values of personal columns: their statistics were written before anybody called those personal,
//! or by others.

use std::collections::{HashMap, HashSet};

use base::Fault;
use catalog::checksums;
use catalog::{DataFile, Table};
use futures::{StreamExt, TryStreamExt, stream};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use storage::Store;

use crate::compact::unreadable;
use crate::error::{Error, Result};
use crate::rows::fetch;

/// How many footers are read at once.
const AT_ONCE: usize = 16;

/// The paths of the files of a table whose footers or indexes state values of its personal columns. Costs a look at every
/// file of a table that has such columns; what does not read tells nothing.
pub(crate) async fn telling(store: &Store, table: &Table, files: &[DataFile]) -> Result<HashSet<String>> {
    let personal = table.columns().iter().filter(|column| column.pii.is_some());
    let personal = &Personal { ids: personal.map(|column| column.id).collect(), by_name: table.name_mapping() };
    if personal.ids.is_empty() {
        return Ok(HashSet::new());
    }
    let looks = files.iter().map(|file| async move {
        let tells = personal.is_told_by(store, file).await;
        match tells.map_err(|error| unreadable((table.name(), &file.path), error)) {
            // Whoever reads its rows is told so; until then it is no reason to leave the others as they are.
            Err(error @ Error::Unreadable { .. }) => {
                tracing::warn!(error = %error, causes = error.causes(), "a damaged file is not compacted");
                Ok(None)
            }
            tells => Ok(tells?.then(|| file.path.clone())),
        }
    });
    let looks = stream::iter(looks.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
    looks.try_filter_map(|path| async move { Ok(path) }).try_collect().await
}

/// The personal columns of a table.
struct Personal {
    ids: HashSet<i32>,
    /// Ids by name, for files that carry none.
    by_name: Option<HashMap<String, i32>>,
}

impl Personal {
    async fn is_told_by(&self, store: &Store, file: &DataFile) -> ParquetResult<bool> {
        let opened = checksums::open(file.size, |range| fetch(store, &file.path, range)).await?;
        let groups = opened.footer.row_groups().iter();
        let mut chunks = groups.flat_map(|group| group.columns().iter().enumerate());
        Ok(chunks.any(|(leaf, chunk)| states_values(chunk) && self.is_personal(&opened.footer, leaf)))
    }

    fn is_personal(&self, footer: &ParquetMetaData, leaf: usize) -> bool {
        let root = footer.file_metadata().schema_descr().get_column_root(leaf).get_basic_info();
        let id = if root.has_id() { Some(root.id()) } else { self.id_of(root.name()) };
        id.is_some_and(|id| self.ids.contains(&id))
    }

    fn id_of(&self, name: &str) -> Option<i32> {
        self.by_name.as_ref()?.get(name).copied()
    }
}

/// Whether a column's smallest or largest value stands in the footer, or in an index of pages.
fn states_values(chunk: &ColumnChunkMetaData) -> bool {
    let stated = |statistics: &parquet::file::statistics::Statistics| {
        statistics.min_bytes_opt().is_some() || statistics.max_bytes_opt().is_some()
    };
    chunk.column_index_offset().is_some() || chunk.statistics().is_some_and(stated)
}
