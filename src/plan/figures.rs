//! What a conversion would do, as figures.

use serde::Serialize;

/// The container that it is reckoned for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Container {
    /// Virtual CPUs.
    pub vcpus: f64,
    /// Memory.
    pub memory_bytes: u64,
}

/// What a conversion would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Forecast {
    /// Units in which there is something to do: hours of a table.
    pub units: u64,
    /// The different hours of these; a folder whose names tell no hour counts as one.
    pub distinct_hours: u64,
    /// Objects to convert.
    pub objects: u64,
    /// Their stored bytes.
    pub input_bytes: u64,
    /// Objects that are converted already.
    pub known_objects: u64,
    /// Objects that changed since, whose hours would be made anew.
    pub changed_objects: u64,
    /// Objects with the bytes, size and name of one under another key. They are not among those to
    /// convert, unless the job takes them.
    pub same_content_objects: u64,
    /// Objects outside of the hours that are asked for.
    pub outside_objects: u64,
    /// Logs of distributions that are not asked for.
    pub filtered_objects: u64,
    /// Objects that the job excludes.
    pub excluded_objects: u64,
    /// Logs of hours that other shares of the work have.
    pub other_shard_objects: u64,
    /// Objects that are no logs.
    pub skipped_objects: u64,
    /// What there is instead, where what was asked for let no log through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_matched: Option<String>,
    /// Filters that fit none of the objects that were listed, each with what there is instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub idle_filters: Vec<String>,
    /// The first and the last hour with something to do.
    pub hours: Option<(String, String)>,
    /// Files that it would write.
    pub output_files: u64,
    /// Their bytes, about.
    pub output_bytes: u64,
    /// LIST calls: those that were made for this forecast, and those for records of the lake.
    pub list_calls: u64,
    /// PUT and COPY calls.
    pub put_calls: u64,
    /// GET and HEAD calls.
    pub get_calls: u64,
    /// Units written to a ledger in `DynamoDB`; none where the lake keeps its own.
    pub ledger_writes: u64,
    /// Units read from it.
    pub ledger_reads: u64,
    /// Calls to Glue; none without a catalog there.
    pub catalog_calls: u64,
    /// Minutes that the container would run.
    pub minutes: f64,
    /// Dollars for S3's calls.
    pub s3_dollars: f64,
    /// Dollars for the ledger.
    pub ledger_dollars: f64,
    /// Dollars for the catalog.
    pub catalog_dollars: f64,
    /// Dollars for the container, on demand.
    pub container_dollars: f64,
    /// All of these.
    pub dollars: f64,
    /// Dollars a month for keeping the files.
    pub storage_month_dollars: f64,
    /// Dollars for a month in which the three queries (bots, bytes, viewers) are asked once a day,
    /// over raw logs like these.
    pub queries_raw_month_dollars: f64,
    /// The same over the table.
    pub queries_table_month_dollars: f64,
    /// Where and when the prices hold.
    pub prices: String,
}
