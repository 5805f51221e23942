//! Walks the lines of an object, whatever its format, and hands rows on in blocks. Never fails,
//! never looks at values: it knows lines, names and UTF-8. The format is known by the first line
//! that says anything.

use memchr::memchr;

use super::belief::{Belief, looks_like};
use super::block::{BLOCK_ROWS, Block, Reject, RowPlace, Sink, ValueSpan};
use super::json::FieldNames;
use super::sniff::{FIELDS, NamesOf};
use super::{delimited, json, positional, sniff};
use crate::kernel::schema::{PositionalRows, SOURCES, is_logged_field, source, tells_time};
use crate::kernel::source::inflate::Damage;
use crate::model::{Granularity, Table};
use crate::stats::LineStats;

/// What a job says of its logs, beyond what they say themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The table that the rows go to.
    pub table: Table,
    /// How long its partitions are.
    pub granularity: Granularity,
    /// The names of the fields of logs without a header.
    pub fields: Option<Vec<String>>,
    /// What separates values, one byte or some; found out where it is not named.
    pub delimiter: Option<Vec<u8>>,
    /// The most text that one object may hold: a few kilobytes of gzip can claim terabytes.
    pub object_limit_bytes: u64,
    /// The longest line that is looked at; of a longer one the beginning is kept as a reject.
    pub line_limit_bytes: usize,
}

/// The longest line unless somebody says otherwise. AWS cuts each value at some KB.
const LINE_LIMIT_BYTES: usize = 16 << 20;

/// The most text of one object unless a job says otherwise. AWS's own objects hold some megabytes;
/// one that somebody joined from a month of them holds less than this.
pub const OBJECT_LIMIT_BYTES: u64 = 64 << 30;

impl Settings {
    /// Nothing but the table.
    #[must_use]
    pub const fn of(table: Table) -> Self {
        Self {
            table,
            granularity: Granularity::Hour,
            fields: None,
            delimiter: None,
            object_limit_bytes: OBJECT_LIMIT_BYTES,
            line_limit_bytes: LINE_LIMIT_BYTES,
        }
    }
}

impl Settings {
    /// What is told of an object that holds more than its limit.
    #[must_use]
    pub fn over_limit(&self) -> Damage {
        let limit = self.object_limit_bytes;
        let reason = format!("it holds more than {limit} bytes of text, the limit of one object (--object-limit)");
        Damage { is_limit: true, ..Damage::at(limit, reason) }
    }
}

/// What some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a line falls into values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// No line has told yet.
    Unknown,
    /// By a delimiter, under the names of a header or of the job.
    Delimited,
    /// One JSON object a line.
    Json,
    /// By the places of values.
    Positional(&'static PositionalRows),
    /// Lines that no table holds.
    Skipped,
    /// Lines that are no log of the table.
    Unbelieved,
}

/// What a name of a JSON log says of it.
#[derive(Clone, Copy, Debug)]
struct KnownName {
    /// Whether the table knows it.
    is_known: bool,
    /// Whether it tells that the log is of the table.
    is_telling: bool,
    /// Whether it tells when something was.
    is_time: bool,
}

/// The value of a row that lacks a field: the first byte of copied values says `-`.
const ABSENT: ValueSpan = ValueSpan { start: 0, end: 1 };

/// The state between two pieces of an object: where it is, and what it last saw.
#[derive(Debug)]
pub struct Decoder<'s> {
    settings: &'s Settings,
    format: Format,
    /// What separates values, once the job or a row has told.
    delimiter: Option<&'s [u8]>,
    found: &'static str,
    versioned: bool,
    /// Whether what comes up to the next line's end belongs to a line that was too long.
    skipping: bool,
    /// Whether the object's lines alone can tell that it is a log: its name does not.
    unnamed: bool,
    belief: Belief,
    /// Why the lines that come now are no rows, where none of them can be.
    disbelief: String,
    /// What each name of a JSON log says of it.
    known_names: Vec<KnownName>,
    stats: LineStats,
    offset: u64,
    width: usize,
    names: FieldNames,
    places: Vec<RowPlace>,
    spans: Vec<ValueSpan>,
    row: Vec<ValueSpan>,
    copies: Vec<u8>,
}

impl<'s> Decoder<'s> {
    /// Begins an object.
    #[must_use]
    pub fn new(settings: &'s Settings) -> Self {
        Self {
            settings,
            format: Format::Unknown,
            delimiter: settings.delimiter.as_deref(),
            found: sniff::EMPTY,
            versioned: false,
            skipping: false,
            unnamed: false,
            belief: Belief::default(),
            disbelief: String::new(),
            known_names: Vec::new(),
            stats: LineStats::default(),
            offset: 0,
            width: 0,
            names: FieldNames::default(),
            places: Vec::new(),
            spans: Vec::new(),
            row: Vec::new(),
            copies: vec![b'-'],
        }
    }

    /// Takes no row before a header or a first line has told that it is a log of the table: nothing
    /// else says so.
    #[must_use]
    pub fn unnamed(mut self, unnamed: bool) -> Self {
        self.unnamed = unnamed;
        self
    }

    /// What the lines so far say of whether it is a log of the table.
    #[must_use]
    pub fn belief(&self) -> Belief {
        self.belief.clone()
    }

    /// Decodes the whole lines of a piece (with `last`, a line without an end too) and returns how
    /// many bytes that were; the caller puts the rest before the next piece. A piece must be
    /// smaller than 4 GiB.
    pub fn decode(&mut self, bytes: &[u8], last: bool, sink: &mut impl Sink) -> usize {
        let ascii = bytes.is_ascii();
        let mut position = 0;
        while position < bytes.len() {
            let (end, next) = match memchr(b'\n', &bytes[position..]) {
                Some(length) => (position + length, position + length + 1),
                None if last => (bytes.len(), bytes.len()),
                None => {
                    position = self.hold(bytes, position, sink);
                    break;
                }
            };
            if std::mem::take(&mut self.skipping) {
                position = next;
                continue;
            }
            let line_end = if bytes[position..end].ends_with(b"\r") { end - 1 } else { end };
            self.line(bytes, (position, line_end), ascii, sink);
            if self.places.len() == BLOCK_ROWS {
                self.flush(bytes, sink);
            }
            position = next;
        }
        self.flush(bytes, sink);
        self.offset += position as u64;
        position
    }

    /// What is to be done with a line whose end has not come: it waits, unless it is too long
    /// already. Returns where the caller's rest begins.
    fn hold(&mut self, bytes: &[u8], position: usize, sink: &mut impl Sink) -> usize {
        // One byte more may be the carriage return that does not count.
        if !self.skipping && bytes.len() - position <= self.settings.line_limit_bytes + 1 {
            return position;
        }
        if !self.skipping {
            self.skipping = true;
            self.too_long(&bytes[position..], position, sink);
        }
        bytes.len()
    }

    fn too_long(&mut self, line: &[u8], position: usize, sink: &mut impl Sink) {
        self.stats.lines += 1;
        if self.format == Format::Skipped {
            return self.skip();
        }
        let limit = self.settings.line_limit_bytes;
        let reason = format!("longer than {limit} bytes; its beginning is kept");
        sink.reject(self.reject(&line[..limit], position, reason));
    }

    #[inline]
    fn line(&mut self, bytes: &[u8], (mut start, end): (usize, usize), ascii: bool, sink: &mut impl Sink) {
        if self.stats.lines == 0 && bytes[start..end].starts_with(BYTE_ORDER_MARK) {
            start += BYTE_ORDER_MARK.len();
        }
        let line = &bytes[start..end];
        if line.len() > self.settings.line_limit_bytes {
            return self.too_long(line, start, sink);
        }
        self.stats.lines += 1;
        if self.is_plain_row(bytes, (start, end), ascii) {
            self.places.push(row_place(start, end, self.stats.lines));
            self.stats.rows += 1;
            return;
        }
        match line.first() {
            None => self.stats.comment_lines += 1,
            Some(b'#') => self.comment(bytes, line, sink),
            Some(_) if self.format == Format::Skipped => self.skip(),
            Some(_) => {
                if let Err(reason) = self.row(bytes, start, end, ascii, sink) {
                    sink.reject(self.reject(line, start, reason));
                }
            }
        }
    }

    /// A line with a request in it that no table holds.
    const fn skip(&mut self) {
        self.stats.comment_lines += 1;
        self.stats.skipped_lines += 1;
    }

    /// Splits a row as nearly all are, and short enough to stand in the loop over lines: of ASCII,
    /// with as many values as there are names. Of any other line it says no and leaves no trace.
    #[inline]
    fn is_plain_row(&mut self, bytes: &[u8], (start, end): (usize, usize), ascii: bool) -> bool {
        match self.delimiter {
            Some([byte]) if ascii && self.format == Format::Delimited && end > start && bytes[start] != b'#' => {
                delimited::split_exactly(bytes, (start, end), *byte, self.width, &mut self.spans)
            }
            _ => false,
        }
    }

    /// Rejects the beginning of a line whose rest was lost.
    pub fn reject_rest(&mut self, rest: &[u8], reason: String, sink: &mut impl Sink) {
        self.stats.lines += 1;
        sink.reject(self.reject(rest, 0, reason));
        self.offset += rest.len() as u64;
    }

    /// What became of the lines so far. Rows that a later stage refuses are still counted as rows
    /// here.
    #[must_use]
    pub const fn stats(&self) -> LineStats {
        self.stats
    }

    /// What the object was found to be.
    #[must_use]
    pub const fn found(&self) -> &'static str {
        self.found
    }

    fn comment(&mut self, bytes: &[u8], line: &[u8], sink: &mut impl Sink) {
        self.stats.comment_lines += 1;
        self.versioned |= line.starts_with(b"#Version:");
        self.belief.comment(line);
        let header = line.split_at_checked(FIELDS.len()).filter(|(name, _)| name.eq_ignore_ascii_case(FIELDS));
        if let Some((_, names)) = header {
            self.flush(bytes, sink);
            // A header in mid-file may come with another delimiter.
            self.delimiter = self.settings.delimiter.as_deref();
            let names = delimited::header_names(names, self.delimiter);
            self.width = names.len();
            self.format = Format::Delimited;
            if let Some(source) = source(self.settings.table) {
                self.found = if self.versioned { source.formats.w3c_versioned } else { source.formats.w3c };
            }
            let mut skipped = SOURCES.iter().flat_map(|source| source.skipped);
            if let Some((_, found)) = skipped.find(|(field, _)| names.iter().any(|name| name == field)) {
                self.format = Format::Skipped;
                self.found = found;
                self.belief.proven = true;
                return;
            }
            match self.belief.fields(self.settings.table, &names, NamesOf::Header, self.stats.lines) {
                Ok(()) => sink.fields(&names),
                Err(reason) => self.disbelieve(reason),
            }
        }
    }

    /// No line that comes now is a row.
    fn disbelieve(&mut self, reason: String) {
        self.format = Format::Unbelieved;
        self.found = sniff::UNKNOWN;
        self.disbelief = reason;
    }

    /// The format of an object that began with this line, which is no comment.
    fn begin(&mut self, line: &[u8], sink: &mut impl Sink) {
        if self.unnamed
            && let Err(reason) = self.belief.first_line(self.settings.table, line, self.stats.lines)
        {
            return self.disbelieve(reason);
        }
        let Some(source) = source(self.settings.table) else { return };
        if line.starts_with(b"{") {
            self.format = Format::Json;
            self.found = source.formats.json;
        } else if let Some(names) = &self.settings.fields {
            self.width = names.len();
            self.format = Format::Delimited;
            self.found = source.formats.plain;
            sink.fields(names);
        } else if let Some(rows) = &source.positional {
            self.format = Format::Positional(rows);
            self.found = rows.found;
        }
    }

    fn row(&mut self, bytes: &[u8], start: usize, end: usize, ascii: bool, sink: &mut impl Sink) -> Result<(), String> {
        let line = &bytes[start..end];
        if self.format == Format::Unknown {
            self.begin(line, sink);
        }
        if !ascii && std::str::from_utf8(line).is_err() {
            return Err("not UTF-8".to_owned());
        }
        match self.format {
            Format::Delimited => {
                if self.delimiter.is_none() {
                    // A row that no delimiter fits tells nothing of the others.
                    self.delimiter = delimited::guess(line, self.width);
                }
                let delimiter = self.delimiter.unwrap_or(b"\t");
                delimited::split(bytes, (start, end), delimiter, self.width, &mut self.spans)?;
            }
            Format::Positional(rows) => self.positional_row(rows, bytes, (start, end), sink)?,
            Format::Json => self.json_row(bytes, line, sink)?,
            Format::Unbelieved => return Err(self.disbelief.clone()),
            Format::Unknown | Format::Skipped => {
                self.found = sniff::UNKNOWN;
                return Err(unknown_format(line));
            }
        }
        self.places.push(row_place(start, end, self.stats.lines));
        self.stats.rows += 1;
        Ok(())
    }

    /// A row with fewer values than others of its file is filled up, one with more widens the
    /// block.
    fn positional_row(
        &mut self,
        rows: &PositionalRows,
        bytes: &[u8],
        (start, end): (usize, usize),
        sink: &mut impl Sink,
    ) -> Result<(), String> {
        self.row.clear();
        let found = positional::split(rows, bytes, (start, end), &mut self.row)?;
        // Values stand in the line itself, so the NULL that fills a row up must stand there too:
        // its date has a `-`.
        let Some(at) = memchr(b'-', &bytes[start..end]) else { return Err("time: no value is a date".to_owned()) };
        let absent = span(start + at, start + at + 1);
        if found > self.width {
            self.flush(bytes, sink);
            self.width = found;
            let names: Vec<String> = (0..found).map(|place| positional::field_name(rows, place)).collect();
            sink.fields(&names);
        }
        self.row.resize(self.width, absent);
        self.spans.extend_from_slice(&self.row);
        Ok(())
    }

    fn json_row(&mut self, bytes: &[u8], line: &[u8], sink: &mut impl Sink) -> Result<(), String> {
        self.row.clear();
        let line = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
        let (known, filled) = (self.names.list.len(), self.copies.len());
        json::split(line, &mut self.names, &mut self.copies, &mut self.row, ABSENT)?;
        if let Err(reason) = self.believe_object(known) {
            self.names.truncate(known);
            self.copies.truncate(filled);
            return Err(reason);
        }
        if self.names.list.len() > self.width {
            self.send(bytes, sink);
            self.width = self.names.list.len();
            sink.fields(&self.names.list);
        }
        self.row.resize(self.width, ABSENT);
        self.spans.extend_from_slice(&self.row);
        Ok(())
    }

    /// Whether the JSON object that was read last is one of a log; of its names the first `known`
    /// were seen before.
    fn believe_object(&mut self, known: usize) -> Result<(), String> {
        let table = self.settings.table;
        let flags = |name: &String| KnownName {
            is_known: is_logged_field(table, name),
            is_telling: sniff::tells_of(table, name),
            is_time: tells_time(table, name),
        };
        self.known_names.truncate(known);
        self.known_names.extend(self.names.list[known..].iter().map(flags));
        let (mut all, mut count, mut tells, mut has_time) = (0, 0, false, false);
        for (name, _) in self.known_names.iter().zip(self.names.seen()).filter(|(_, seen)| **seen) {
            all += 1;
            count += usize::from(name.is_known);
            tells |= name.is_telling;
            has_time |= name.is_time;
        }
        let is_log = count >= sniff::FEWEST_KNOWN_FIELDS && sniff::is_most(count, all) && tells && has_time;
        if is_log && known == self.names.list.len() {
            self.belief.proven = true;
            return Ok(());
        }
        let of_this = self.names.list.iter().zip(self.names.seen()).filter(|(_, seen)| **seen);
        let names: Vec<String> = of_this.map(|(name, _)| name.clone()).collect();
        self.belief.fields(table, &names, NamesOf::Table, self.stats.lines)
    }

    fn reject(&mut self, line: &[u8], position: usize, reason: String) -> Reject {
        self.stats.rejected_lines += 1;
        Reject {
            line_number: self.stats.lines,
            byte_offset: self.offset + position as u64,
            reason,
            raw_line: line.to_vec(),
        }
    }

    fn flush(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        self.send(bytes, sink);
        self.copies.truncate(1);
    }

    /// Lends the block to the sink. Copied values stay: the present row's may be among them.
    fn send(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        if !self.places.is_empty() {
            let values = if self.format == Format::Json { &self.copies } else { bytes };
            let block = Block {
                lines: bytes,
                values,
                places: &self.places,
                spans: &self.spans,
                width: self.width,
                placed: true,
            };
            sink.block(&block, self.offset);
            self.places.clear();
            self.spans.clear();
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a piece is smaller than 4 GiB, so its offsets fit")]
const fn span(start: usize, end: usize) -> ValueSpan {
    ValueSpan { start: start as u32, end: end as u32 }
}

const fn row_place(start: usize, end: usize, line_number: u64) -> RowPlace {
    let ValueSpan { start, end } = span(start, end);
    RowPlace { start, end, line_number }
}

/// Why a line is no row where nothing told what it is.
fn unknown_format(line: &[u8]) -> String {
    let hint = sniff::by_first_values(line)
        .map_or_else(|| "for logs without a header name their fields (--fields)".to_owned(), looks_like);
    format!("no #Fields header before this line; {hint}")
}
