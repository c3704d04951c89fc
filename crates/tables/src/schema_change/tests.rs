use super::{FieldChange, FieldShape, SchemaChange};

fn field(id: i32, name: &str, ty: &str) -> FieldShape {
    FieldShape { id, name: name.to_owned(), ty: ty.to_owned(), nullable: true, pii: None }
}

fn named(fields: &[FieldShape]) -> Vec<&str> {
    fields.iter().map(|field| field.name.as_str()).collect()
}

#[test]
fn a_column_stays_the_same_as_long_as_its_id_does() {
    let before = [field(1, "id", "int"), field(2, "name", "string"), field(3, "city", "string")];
    let after = [field(4, "city", "string"), field(2, "full_name", "string"), field(1, "id", "int64")];
    let change = SchemaChange::by_id(&before, &after);
    assert_eq!((named(&change.added), named(&change.removed)), (vec!["city"], vec!["city"]), "another city");
    let renamed = FieldChange { from: before[1].clone(), to: after[1].clone() };
    let retyped = FieldChange { from: before[0].clone(), to: after[2].clone() };
    assert_eq!(change.changed, [retyped, renamed]);
    assert!(change.reordered);
}

#[test]
fn columns_that_come_and_go_between_others_reorder_nothing() {
    let before = [field(1, "a", "int64"), field(2, "b", "int64"), field(3, "c", "int64")];
    let after = [field(4, "new", "int64"), field(1, "a", "int64"), field(3, "c", "int64")];
    let change = SchemaChange::by_id(&before, &after);
    assert_eq!((named(&change.added), named(&change.removed)), (vec!["new"], vec!["b"]));
    assert!(change.changed.is_empty() && !change.reordered);
}
