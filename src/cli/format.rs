//! The argument `--format`: the sources that there are.

use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::kernel::schema::{SOURCES, source};
use crate::model::Table;

/// A source that is named, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct FormatArg(Option<Table>);

impl FormatArg {
    /// The table of the source that is named, if one is.
    pub(super) const fn table(self) -> Option<Table> {
        self.0
    }
}

impl ValueEnum for FormatArg {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<FormatArg>> = LazyLock::new(|| {
            let named = SOURCES.iter().map(|source| FormatArg(Some(source.table)));
            std::iter::once(FormatArg(None)).chain(named).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0.and_then(source) {
            None => PossibleValue::new("auto").help("By their names and first bytes"),
            Some(source) => PossibleValue::new(source.cli_name).help(format!("Every object is {}", source.words.one)),
        })
    }
}
