//! A column with all its facts. Whoever needs one of them reads it here: the schema and the
//! statements, the mapping of fields, the builder, the sort, and what is kept of people.

use std::fmt;

/// The type of a column, the same in every engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    String,
    /// 32-bit signed.
    Int,
    /// 64-bit signed.
    Bigint,
    /// 64-bit floating point.
    Double,
    /// True or false.
    Boolean,
    /// Microseconds since 1970, UTC.
    Timestamp,
    /// Bytes that need not be text.
    Binary,
    /// Text to text.
    StringMap,
}

/// How the values of a column are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// In a dictionary, where that is smaller.
    Dictionary,
    /// Each by itself: values repeat, and are smaller without a dictionary all the same, as
    /// measured.
    Plain,
    /// Each by itself: nearly every row has a value of its own, so that nobody looks for equals.
    Unique,
}

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A logged field of the same (normalised) name, or a part of one ([`super::split_field`]).
    Logged,
    /// A logged field; where a log has none, the name of its object.
    LoggedOrObjectName,
    /// The time of the row, from whichever fields tell it.
    EventTime,
    /// The user agent: each distinct one is looked at once.
    Agent(AgentFact),
    /// The name of an edge location, in the column that is named here.
    EdgeLocation(&'static str, EdgeFact),
    /// The key of the raw object.
    ObjectKey,
    /// Logged fields that no column is named after.
    UnknownFields,
    /// A line that is no row.
    Reject(RejectFact),
}

/// What is told of a user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what the field of its name in the enricher's `Agent` says")]
pub enum AgentFact {
    /// Its text as logged.
    AsLogged,
    /// Its text without the log's escapes.
    Decoded,
    BrowserFamily,
    BrowserVersion,
    OsFamily,
    DeviceClass,
    IsBot,
    BotName,
    BotVendor,
    BotCategory,
}

/// What is told of an edge location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeFact {
    /// The city that its airport code stands for.
    City,
    /// The country of that city.
    Country,
}

/// What is told of a line that is no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the column of its name in the table `rejects`")]
pub enum RejectFact {
    SourceTable,
    LineNumber,
    ByteOffset,
    Reason,
    RawLine,
    LineBytes,
    LineSha256,
}

/// What a column may tell of people. `policy/privacy` decides by it what a job keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivacyClass {
    /// Nothing, or nothing that a job can take away but by dropping the column. The addresses of
    /// servers are of this class: they are the owner's own.
    Nothing,
    /// One address of a client.
    Address,
    /// Addresses of clients, separated by commas.
    AddressList,
    /// Text that may hold keys with values, such as a URL, a query or cookies.
    KeysAndValues,
    /// A user agent. It may hold keys with values; whoever drops one column of this class drops
    /// them all, since each says what the others say.
    UserAgent,
    /// Fields of any names. Each is treated by its own name and text.
    UnknownFields,
    /// A line that could not be read, or words that quote it: nothing in it can be told apart.
    RejectedLine,
}

/// One column of one table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in every engine.
    pub name: &'static str,
    /// What others call it, normalised: those who wrote AWS's logs into tables of their own. They
    /// count only where a log has every field that its source always writes
    /// ([`super::Source::indispensable`]).
    pub aliases: &'static [&'static str],
    /// Its type.
    pub kind: ColumnType,
    /// Where its values come from.
    pub origin: Origin,
    /// How its values are held.
    pub coding: Coding,
    /// Whether people ask for a single value of it, whatever the hour.
    pub looked_up: bool,
    /// What it may tell of people.
    pub privacy: PrivacyClass,
    /// What it holds, for the statements and the documentation.
    pub doc: &'static str,
}

impl Column {
    /// Whether a log may have a field of the column's name.
    #[must_use]
    pub const fn is_logged(&self) -> bool {
        matches!(self.origin, Origin::Logged | Origin::LoggedOrObjectName | Origin::Agent(AgentFact::AsLogged))
    }
}

/// A column that is a logged field.
pub(super) const fn logged(name: &'static str, kind: ColumnType, privacy: PrivacyClass, doc: &'static str) -> Column {
    made(Origin::Logged, name, kind, privacy, doc)
}

/// A column of any origin.
pub(super) const fn made(
    origin: Origin,
    name: &'static str,
    kind: ColumnType,
    privacy: PrivacyClass,
    doc: &'static str,
) -> Column {
    Column { name, aliases: &[], kind, origin, coding: Coding::Dictionary, looked_up: false, privacy, doc }
}

/// A column that others call something else.
pub(super) const fn also(aliases: &'static [&'static str], column: Column) -> Column {
    Column { aliases, ..column }
}

/// A column of which nearly every row has a value of its own.
pub(super) const fn unique(column: Column) -> Column {
    Column { coding: Coding::Unique, ..column }
}

/// In an hour of 100,000 rows of `edgemill generate`, zstd-1, with and without a dictionary:
/// `sc_bytes` 343 and 285 kB, `c_ip` 177 and 152 kB: neighbours in the order of the rows are alike,
/// which a dictionary hides from the compressor. (Of the encodings that Athena reads
/// `DELTA_BINARY_PACKED` takes 294 kB for `sc_bytes`, `DELTA_BYTE_ARRAY` 197 kB for `c_ip`;
/// `BYTE_STREAM_SPLIT` of integers, 228 kB, is too new for its readers.) Others of few bytes are
/// larger without: `cs_bytes` 142 and 161 kB. Of load balancers' logs, 30,000 rows: `event_time`
/// 182 and 126 kB (each is its own, in microseconds), `request_creation_time` 181 and 127,
/// `sent_bytes` 114 and 84, `conn_trace_id` 59 and 44, `client_ip` 50 and 43, `client_port` 32 and
/// 13; but `received_bytes` 39 and 47.
pub(super) const fn plain(column: Column) -> Column {
    Column { coding: Coding::Plain, ..column }
}

/// A Bloom filter says of most row groups that a value is not there. Of 4.2 million rows of
/// `edgemill generate` in 24 hours the filters of both columns are 2.0 % of the files (5.5 of 283
/// MB), and by DataFusion's count (`bytes_scanned` of EXPLAIN ANALYZE) a query for three columns of
/// one request id reads 11.0 instead of 203.8 MB, of one address 5.8 instead of 37.8, and all
/// columns of it 28 instead of 277.
pub(super) const fn looked_up(column: Column) -> Column {
    Column { looked_up: true, ..column }
}

/// For the documentation.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logged | Self::Agent(AgentFact::AsLogged) => f.write_str("logged"),
            Self::LoggedOrObjectName => f.write_str("logged, or from the object's name"),
            Self::EventTime => f.write_str("from the time fields"),
            Self::Agent(_) => f.write_str("from the user agent"),
            Self::EdgeLocation(column, _) => write!(f, "from {column}"),
            Self::ObjectKey => f.write_str("from the object's key"),
            Self::UnknownFields => f.write_str("logged fields without a column"),
            Self::Reject(_) => f.write_str("from the rejected line"),
        }
    }
}

/// For the documentation.
impl fmt::Display for PrivacyClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "-",
            Self::Address => "address",
            Self::AddressList => "addresses",
            Self::KeysAndValues => "keys and values",
            Self::UserAgent => "user agent",
            Self::UnknownFields => "field by field",
            Self::RejectedLine => "rejected line",
        })
    }
}
