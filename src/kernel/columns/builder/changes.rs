//! Columns that are made of the texts of another, such as the city of an edge location; and what
//! privacy makes of a column's own. Each distinct text is looked at once.

use std::sync::Arc;

use super::super::data::TextChange;
use super::super::interner::StringPool;
use crate::kernel::policy::privacy::Treatment;
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::schema::{EdgeFact, Origin, column_index, columns};
use crate::model::Table;

/// The columns that are made of another's texts, or of their own for privacy's sake: from, to,
/// and how; without a how they are NULL. A column that others are made of changes after them.
pub(super) fn changes(
    table: Table,
    recipe: &Recipe,
    texts: &[Arc<StringPool>],
) -> Vec<(usize, usize, Option<TextChange>)> {
    let privacy = &recipe.privacy;
    let edges = recipe.enricher.edges();
    let mut changes = Vec::new();
    for (index, column) in columns(table).iter().enumerate() {
        if let Origin::EdgeLocation(location, fact) = column.origin
            && let Some(location) = column_index(table, location)
        {
            let place = |text| {
                edges.find(text).map(|(city, country)| match fact {
                    EdgeFact::City => city.as_bytes().into(),
                    EdgeFact::Country => country.as_bytes().into(),
                })
            };
            changes.push((location, index, Some(TextChange::of(&texts[location], place))));
        }
    }
    if privacy.keeps_all() {
        return changes;
    }
    for (index, column) in columns(table).iter().enumerate() {
        match privacy.of_column(table, column.name) {
            Treatment::Keep => {}
            Treatment::Drop => changes.push((index, index, None)),
            // Looked up by user agent, and treated there.
            _ if matches!(column.origin, Origin::Agent(_)) => {}
            treatment => {
                let change = TextChange::of(&texts[index], |text| privacy.treat(treatment, text));
                changes.push((index, index, Some(change)));
            }
        }
    }
    changes
}
