//! The views under which people's existing queries run unchanged, and the one shape over all logs.
//! Each source says its part ([`crate::kernel::schema::Source`]).

use std::sync::LazyLock;

use crate::kernel::schema::{SOURCES, Source, ViewColumns};
use crate::model::Table;

/// Names that people's queries use, over one table of the lake or several.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name in SQL.
    pub name: &'static str,
    /// Whose names they are.
    pub doc: &'static str,
    /// The tables that it reads, one after another, each with the view's columns in order.
    pub selects: Vec<Select>,
}

/// What a view takes from one table.
#[derive(Clone, Copy, Debug)]
pub struct Select {
    /// The table.
    pub table: Table,
    /// The view's columns.
    pub columns: ViewColumns,
}

/// The view of one shape over all logs.
const ACCESS_LOGS: &str = "access_logs";

/// Every view, in the order in which they are printed: those of each source, then the one over all.
pub static VIEWS: LazyLock<Vec<View>> = LazyLock::new(|| {
    let of_source = |source: &'static Source| {
        source.views.iter().map(|view| View {
            name: view.name,
            doc: view.doc,
            selects: vec![Select { table: source.table, columns: view.columns }],
        })
    };
    let over_all = View {
        name: ACCESS_LOGS,
        doc: "One shape over the logs of distributions and of load balancers",
        selects: SOURCES.iter().map(|source| Select { table: source.table, columns: source.access }).collect(),
    };
    SOURCES.into_iter().flat_map(of_source).chain([over_all]).collect()
});
