//! Columns of a file are found by Iceberg field id, never by name or position.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};
use parquet::arrow::PARQUET_FIELD_ID_META_KEY;

use crate::nested::{self, Reshaped};

#[cfg(test)]
mod tests;

/// Knows the id of each column of a table, in the order of its schema.
#[derive(Debug)]
pub(crate) struct ColumnsById {
    ids: Vec<i32>,
    /// For files without ids: Iceberg's name mapping, or else the table's own spelling.
    ids_by_name: HashMap<String, i32>,
}

impl ColumnsById {
    pub(crate) fn new(ids: Vec<i32>, ids_by_name: HashMap<String, i32>) -> Self {
        Self { ids, ids_by_name }
    }

    /// Where each id stands in a file. A file either carries ids on its columns or has none at all.
    fn positions(&self, file: &Schema) -> HashMap<i32, usize> {
        let id_of = |at: usize| file.field(at).metadata().get(PARQUET_FIELD_ID_META_KEY)?.parse::<i32>().ok();
        let with_ids: HashMap<i32, usize> = (0..file.fields().len()).filter_map(|at| Some((id_of(at)?, at))).collect();
        if !with_ids.is_empty() {
            return with_ids;
        }
        let named = file.fields().iter().enumerate();
        named.filter_map(|(at, field)| Some((*self.ids_by_name.get(field.name())?, at))).collect()
    }
}

impl PhysicalExprAdapterFactory for ColumnsById {
    fn create(&self, table: SchemaRef, file: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let positions = self.positions(&file);
        let places = self.ids.iter().map(|id| positions.get(id).copied()).collect();
        Ok(Arc::new(InFile { table, file, places }))
    }
}

/// Rewrites expressions over the table's columns into expressions over one file's columns.
#[derive(Debug)]
struct InFile {
    table: SchemaRef,
    file: SchemaRef,
    places: Vec<Option<usize>>,
}

impl InFile {
    /// A column that the file does not have is null there; one of another type is cast.
    fn locate(&self, column: &Column) -> Result<Arc<dyn PhysicalExpr>> {
        let at = position(&self.table, column.name(), column.index())?;
        let wanted = self.table.field(at);
        let Some(place) = self.places.get(at).copied().flatten() else {
            return Ok(Arc::new(Literal::new(ScalarValue::try_from(wanted.data_type())?)));
        };
        let found = self.file.field(place);
        let read: Arc<dyn PhysicalExpr> = Arc::new(Column::new(found.name(), place));
        if found.data_type() == wanted.data_type() {
            return Ok(read);
        }
        if nested::differ(found.data_type(), wanted.data_type()) {
            return Ok(Arc::new(Reshaped::new(read, Arc::new(wanted.clone()))));
        }
        Ok(Arc::new(CastExpr::new(read, wanted.data_type().clone(), None)))
    }
}

impl PhysicalExprAdapter for InFile {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        expr.transform_up(|node| match node.downcast_ref::<Column>() {
            Some(column) => Ok(Transformed::yes(self.locate(column)?)),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }
}

/// Where a schema has the column of a name. It is looked for where it likely stands first: looking for each column of a
/// wide table among all would take time with the square of their number.
pub(crate) fn position(schema: &Schema, name: &str, likely: usize) -> Result<usize> {
    match schema.fields().get(likely) {
        Some(field) if field.name() == name => Ok(likely),
        _ => Ok(schema.index_of(name)?),
    }
}
