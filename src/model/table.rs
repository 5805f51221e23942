//! The tables of a lake. A new table of logs is one line of the list below.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Makes [`Table`] and what follows from its list: each line is a table of logs and its name.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident = $name:literal;)*) => {
        /// A table of the lake; its name is its folder.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Table {
            $($(#[$doc])* #[serde(rename = $name)] $table,)*
            /// Lines that are no rows, with the reason.
            #[serde(rename = "rejects")]
            Rejects,
        }

        impl Table {
            /// Every table, in the order in which they are printed.
            pub const ALL: [Self; Self::LOGS.len() + 1] = [$(Self::$table,)* Self::Rejects];

            /// The tables that raw logs are converted to.
            pub const LOGS: [Self; [$($name),*].len()] = [$(Self::$table),*];

            /// The table's name in SQL, which is its folder in the lake.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$table => $name,)*
                    Self::Rejects => "rejects",
                }
            }
        }
    };
}

// What each holds is described by its source in `kernel/schema`. The order is that of printed
// tables, and of records: append.
tables! {
    /// Rows of CloudFront standard access logs.
    CloudfrontLogs = "cloudfront_logs";
    /// Rows of Application Load Balancer access logs.
    AlbLogs = "alb_logs";
}

impl Table {
    /// The table of a name in SQL.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_by_its_name() {
        for table in Table::ALL {
            assert_eq!(Table::named(table.name()), Some(table));
            assert_eq!(serde_json::to_string(&table).unwrap(), format!("\"{table}\""));
        }
        assert_eq!(Table::named("logs"), None);
    }
}
