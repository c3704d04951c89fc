//! What became of the columns of a table between two states of it.

use serde::{Deserialize, Serialize};

use crate::column::Column;
use crate::pii::Pii;

#[cfg(test)]
mod tests;

/// A column as it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldShape {
    /// The field id.
    pub id: i32,
    /// The name.
    pub name: String,
    /// The type's name, as in the fingerprint.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether values may be missing.
    pub nullable: bool,
    /// The class of personal data, when the column holds any.
    pub pii: Option<Pii>,
}

/// What became of the columns of a table, which are the same as long as their ids are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// The columns that came.
    pub added: Vec<FieldShape>,
    /// The columns that went.
    pub removed: Vec<FieldShape>,
    /// The columns that were renamed, or are of another type or class.
    pub changed: Vec<FieldChange>,
    /// Whether those that stayed stand in another order.
    pub reordered: bool,
}

/// A column as it was and as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// As it was.
    pub from: FieldShape,
    /// As it is.
    pub to: FieldShape,
}

impl FieldShape {
    /// What is told of a column.
    pub fn of(column: &Column) -> Self {
        let (name, ty, nullable) = (column.name.clone(), column.ty.name(), column.nullable);
        Self { id: column.id, name, ty, nullable, pii: column.pii }
    }
}

impl SchemaChange {
    /// What became of the columns; none when nothing did. Columns of two tables are never the same.
    pub fn between(before: &[Column], after: &[Column], is_one_table: bool) -> Option<Self> {
        let fields = |columns: &[Column]| columns.iter().map(FieldShape::of).collect::<Vec<_>>();
        let (earlier, later) = (fields(before), fields(after));
        if earlier == later {
            return None;
        }
        Some(if is_one_table { Self::by_id(&earlier, &later) } else { Self::exchanged(earlier, later) })
    }

    fn exchanged(earlier: Vec<FieldShape>, later: Vec<FieldShape>) -> Self {
        Self { added: later, removed: earlier, ..Self::default() }
    }

    fn by_id(earlier: &[FieldShape], later: &[FieldShape]) -> Self {
        let stay = |field: &&FieldShape, others: &[FieldShape]| others.iter().any(|other| other.id == field.id);
        let alone = |fields: &[FieldShape], others: &[FieldShape]| {
            fields.iter().filter(|field| !stay(field, others)).cloned().collect()
        };
        let order = |fields: &[FieldShape], others: &[FieldShape]| -> Vec<i32> {
            fields.iter().filter(|field| stay(field, others)).map(|field| field.id).collect()
        };
        let pairs = earlier.iter().filter_map(|from| Some((from, later.iter().find(|to| to.id == from.id)?)));
        let changed = pairs.filter(|(from, to)| from != to);
        Self {
            added: alone(later, earlier),
            removed: alone(earlier, later),
            changed: changed.map(|(from, to)| FieldChange { from: from.clone(), to: to.clone() }).collect(),
            reordered: order(earlier, later) != order(later, earlier),
        }
    }
}
