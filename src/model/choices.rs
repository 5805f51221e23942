//! What a lake may be made with: its ledger and its catalog.

/// Where a lake's records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerChoice {
    /// In the lake itself.
    Lake,
    /// In a DynamoDB table.
    Dynamodb {
        /// Its name.
        table: String,
    },
}

impl std::str::FromStr for LedgerChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "lake" => Ok(Self::Lake),
            Some(("dynamodb", table)) if !table.is_empty() => Ok(Self::Dynamodb { table: table.to_owned() }),
            _ => Err(format!("'{text}' is no ledger; write lake or dynamodb:TABLE")),
        }
    }
}

impl std::fmt::Display for LedgerChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lake => f.write_str("lake"),
            Self::Dynamodb { table } => write!(f, "dynamodb:{table}"),
        }
    }
}

/// Which catalog engines follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CatalogChoice {
    /// None: readers ask the ledger (`edgemill query`) or list folders.
    #[default]
    None,
    /// One in the lake itself.
    Lake,
    /// A Glue database, by Glue's own calls.
    Glue {
        /// Its name.
        database: String,
    },
    /// A Glue database or another catalog of Athena's, by statements that a workgroup runs.
    Athena {
        /// The workgroup.
        workgroup: String,
        /// The database.
        database: String,
    },
    /// A Glue database whose tables work their partitions out by themselves: nobody registers any.
    Projection {
        /// Its name.
        database: String,
    },
}

impl CatalogChoice {
    /// The database of its tables, and whether their partitions are projected.
    #[must_use]
    pub fn database(&self) -> Option<(&str, bool)> {
        match self {
            Self::None | Self::Lake => None,
            Self::Glue { database } | Self::Athena { database, .. } => Some((database, false)),
            Self::Projection { database } => Some((database, true)),
        }
    }

    /// Whether a call that registers a partition may be under way for a while, to a service beside
    /// the lake: then a lake's longest delay of a call must not be too short for it.
    #[must_use]
    pub const fn calls_are_under_way(&self) -> bool {
        match self {
            // The one is never called, the other is an object of the lake itself.
            Self::None | Self::Projection { .. } | Self::Lake => false,
            Self::Glue { .. } | Self::Athena { .. } => true,
        }
    }

    /// Whether partitions are registered, so that rewrites wait for the catalog's readers.
    #[must_use]
    pub const fn registers(&self) -> bool {
        !matches!(self, Self::None | Self::Projection { .. })
    }
}

/// Names as Glue takes them without quoting: lower case, digits and `_`.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

impl std::str::FromStr for CatalogChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let database = |name: &str| {
            let wrong = || format!("'{name}' is no name of a database; write lower case letters, digits and _");
            if is_name(name) { Ok(name.to_owned()) } else { Err(wrong()) }
        };
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "lake" => Ok(Self::Lake),
            Some(("glue", name)) => Ok(Self::Glue { database: database(name)? }),
            Some(("projection", name)) => Ok(Self::Projection { database: database(name)? }),
            Some(("athena", place)) => match place.split_once('/') {
                Some((workgroup, name)) if !workgroup.is_empty() => {
                    Ok(Self::Athena { workgroup: workgroup.to_owned(), database: database(name)? })
                }
                _ => Err(format!("'{text}' names no workgroup; write athena:WORKGROUP/DATABASE")),
            },
            _ => Err(format!(
                "'{text}' is no catalog; write glue:DATABASE, athena:WORKGROUP/DATABASE, projection:DATABASE, lake or none"
            )),
        }
    }
}

impl std::fmt::Display for CatalogChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Lake => f.write_str("lake"),
            Self::Glue { database } => write!(f, "glue:{database}"),
            Self::Athena { workgroup, database } => write!(f, "athena:{workgroup}/{database}"),
            Self::Projection { database } => write!(f, "projection:{database}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_to_a_service_are_under_way_for_a_while() {
        for (text, are) in
            [("none", false), ("lake", false), ("projection:a", false), ("glue:a", true), ("athena:b/a", true)]
        {
            assert_eq!(text.parse::<CatalogChoice>().unwrap().calls_are_under_way(), are, "{text}");
        }
    }

    #[test]
    fn choices_are_read_as_they_are_written() {
        for text in ["none", "lake", "glue:logs", "athena:primary/logs_2", "projection:logs"] {
            assert_eq!(text.parse::<CatalogChoice>().unwrap().to_string(), text);
        }
        for text in ["glue", "glue:", "glue:My-Logs", "athena:logs", "athena:/logs", "hive:x"] {
            assert!(text.parse::<CatalogChoice>().is_err(), "{text}");
        }
        for text in ["lake", "dynamodb:edgemill"] {
            assert_eq!(text.parse::<LedgerChoice>().unwrap().to_string(), text);
        }
    }
}
