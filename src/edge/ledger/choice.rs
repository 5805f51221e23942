//! Where a lake keeps its records, as it is written on the command line and in `lake.json`.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        for text in ["lake", "dynamodb:edgemill"] {
            assert_eq!(text.parse::<LedgerChoice>().unwrap().to_string(), text);
        }
        for text in ["", "dynamodb", "dynamodb:", "lake:x"] {
            assert!(text.parse::<LedgerChoice>().is_err(), "{text}");
        }
    }
}
