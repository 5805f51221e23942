//! The engines that statements are written for.

use crate::kernel::schema::ColumnType;

/// An engine's way of writing SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon Athena: Hive's grammar for tables, Trino's for views.
    Athena,
    /// The same, with partitions that nobody registers: Athena works out their folders from the
    /// values that a query asks for.
    AthenaProjection,
    /// Spark SQL, 3.1 and later.
    Spark,
    /// `DataFusion`, which answers local queries.
    DataFusion,
}

impl Dialect {
    /// A name inside a query.
    pub(super) fn quote(self, name: &str) -> String {
        match self {
            Self::Athena | Self::AthenaProjection | Self::DataFusion => format!("\"{name}\""),
            Self::Spark => format!("`{name}`"),
        }
    }

    /// The name of a type.
    #[must_use]
    pub const fn type_name(self, kind: ColumnType) -> &'static str {
        let (hive, spark) = match kind {
            ColumnType::String => ("string", "STRING"),
            ColumnType::Int => ("int", "INT"),
            ColumnType::Bigint => ("bigint", "BIGINT"),
            ColumnType::Double => ("double", "DOUBLE"),
            ColumnType::Boolean => ("boolean", "BOOLEAN"),
            ColumnType::Timestamp => ("timestamp", "TIMESTAMP"),
            ColumnType::Binary => ("binary", "BINARY"),
            ColumnType::StringMap => ("map<string,string>", "MAP<STRING, STRING>"),
        };
        if matches!(self, Self::Spark) { spark } else { hive }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Athena => "Amazon Athena",
            Self::AthenaProjection => "Amazon Athena, with partition projection",
            Self::Spark => "Spark SQL",
            Self::DataFusion => "DataFusion",
        }
    }
}
