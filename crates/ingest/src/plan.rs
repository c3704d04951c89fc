//! What a pass is to make of each column: its type, and whether a dictionary pays.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use catalog::ColumnType;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, SchemaDescriptor};

use crate::column;
use crate::csv::block::Block;
use crate::error::Result;
use crate::infer::Forms;

/// Rows of the first block that are looked at to see whether values repeat.
const SAMPLE_ROWS: usize = 4096;
/// Wider tables do without dictionaries: each costs some 20 KiB before its first value, and wide row groups are short.
const DICTIONARY_COLUMNS: usize = 1000;
/// zstd's own default: higher levels cost more than they save here.
const ZSTD_LEVEL: i32 = 3;

/// A column as a pass reads it.
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// The name in the file.
    pub name: String,
    /// The type its values are read as.
    pub ty: ColumnType,
    /// The forms seen so far; they decide the type unless the table has decided it.
    pub forms: Forms,
    /// Whether values repeat often enough for a dictionary.
    pub repeats: bool,
    /// Its share of the work: bytes of the first block.
    pub weight: usize,
}

impl ColumnPlan {
    /// Looks at a column of the first block, if there is one.
    pub fn of(name: &str, block: Option<&Block>, column: usize) -> Self {
        let mut plan =
            Self { name: name.to_owned(), ty: ColumnType::String, forms: Forms::default(), repeats: true, weight: 1 };
        if let Some(block) = block {
            plan.forms.see(block, column);
            plan.repeats = repeats(block, column);
            plan.weight += block.column(column).map(|cell| cell.len() + 8).sum::<usize>();
        }
        plan.ty = plan.forms.decide();
        plan
    }
}

/// Whether fewer than half of the values are distinct; a dictionary of more costs time and saves nothing.
fn repeats(block: &Block, column: usize) -> bool {
    let values = || block.column(column).take(SAMPLE_ROWS).filter(|cell| cell.len() != 0);
    let distinct: HashSet<&[u8]> = values().map(|cell| cell.bytes(block.text())).collect();
    distinct.len() * 2 <= values().count().max(32)
}

/// How the rows become Parquet.
pub struct Layout {
    /// The Parquet columns, with field ids.
    pub descriptor: SchemaDescriptor,
    /// The Arrow columns as they are built from blocks.
    pub built: SchemaRef,
    /// Compression, dictionaries, statistics.
    pub properties: WriterProperties,
}

impl Layout {
    /// The layout of a table's columns, which carry their field ids as metadata.
    pub fn new(schema: &Schema, plans: &[ColumnPlan]) -> Result<Self> {
        let descriptor = ArrowSchemaConverter::new().convert(schema)?;
        let fields = schema.fields().iter().map(|field| {
            let ty = column::built_type(field.data_type());
            field.as_ref().clone().with_data_type(ty)
        });
        let built = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("lakehouse ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
            .set_statistics_enabled(EnabledStatistics::Page);
        let narrow = plans.len() <= DICTIONARY_COLUMNS;
        for (plan, field) in plans.iter().zip(schema.fields()) {
            let path = ColumnPath::new(vec![field.name().clone()]);
            properties = properties.set_column_dictionary_enabled(path, narrow && plan.repeats);
        }
        Ok(Self { descriptor, built, properties: properties.build() })
    }
}
