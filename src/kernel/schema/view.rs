//! What a view selects, as data. [`crate::kernel::ddl`] writes it in each engine's SQL.

/// How a column of a view comes from the columns of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expression {
    /// The column as it is.
    Same(&'static str),
    /// The UTC date of a timestamp.
    DateOf(&'static str),
    /// The UTC time of day of a timestamp, as text: `HH:MM:SS`.
    TimeOf(&'static str),
    /// A boolean as `'True'` or `'False'`; NULL counts as false.
    TrueOrFalse(&'static str),
    /// The same text in every row.
    Text(&'static str),
    /// What the first group of a pattern matches; NULL where it matches nothing. Patterns hold no
    /// backslash and no quote, which engines read differently.
    Matched(&'static str, &'static str),
    /// The seconds of a load balancer's three stages; NULL where one did not happen (-1).
    Stages([&'static str; 3]),
}

impl Expression {
    /// The columns of the table that it reads.
    #[must_use]
    pub fn sources(self) -> Vec<&'static str> {
        match self {
            Self::Same(name)
            | Self::DateOf(name)
            | Self::TimeOf(name)
            | Self::TrueOrFalse(name)
            | Self::Matched(name, _) => vec![name],
            Self::Text(_) => Vec::new(),
            Self::Stages(names) => names.to_vec(),
        }
    }
}

/// The columns of a view over one table: their names, and what each is.
pub type ViewColumns = &'static [(&'static str, Expression)];

/// A view over the table of one source.
#[derive(Clone, Copy, Debug)]
pub struct SourceView {
    /// Its name in SQL.
    pub name: &'static str,
    /// Whose names its columns have.
    pub doc: &'static str,
    /// Its columns.
    pub columns: ViewColumns,
}
