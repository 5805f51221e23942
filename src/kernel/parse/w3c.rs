//! Lines of W3C extended logs to blocks of split rows: comments, the `#Fields` header, tabs between values.
//!
//! Advice to hackers. A block holds at most [`BLOCK_ROWS`] rows so that its bytes and its field ends stay in the cache
//! while every column passes over them; a column pass over a whole object costs more than twice as much. A block borrows
//! the input, so it must be used before the input goes away: [`Decoder::decode`] lends it to the [`Sink`] and forgets it. A new header ends the block, so all rows of a block have the same fields. The decoder never fails and
//! never looks at values: it only knows lines, tabs and UTF-8.
//!
//! Format: the CloudFront Developer Guide, "Standard log file format": two comment lines (`#Version`, `#Fields`), values
//! separated by tabs, lines by LF. Seen besides: headers repeated in mid-file, tabs in the header, CR LF, a trailing tab.

use memchr::memchr;

use super::Reject;
use crate::stats::LineStats;

/// Rows in a block. 512 rows of 500 bytes and their field ends fit in a core's second-level cache.
pub const BLOCK_ROWS: usize = 512;

/// Rows of one file under one header, split into fields.
#[derive(Debug)]
pub struct Block<'a> {
    bytes: &'a [u8],
    starts: &'a [RowStart],
    ends: &'a [u32],
    width: usize,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
struct RowStart {
    /// Offset in the bytes of the block.
    start: u32,
    /// Offset of its end, a surplus of empty values included.
    end: u32,
    /// Line number in the object, from 1.
    line_number: u64,
}

impl<'a> Block<'a> {
    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.starts.len()
    }

    /// One value, as logged.
    #[must_use]
    pub fn value(&self, row: usize, field: usize) -> &'a [u8] {
        let ends = &self.ends[row * self.width..(row + 1) * self.width];
        let start = if field == 0 { self.starts[row].start } else { ends[field - 1] + 1 };
        &self.bytes[start as usize..ends[field] as usize]
    }

    /// Line number (from 1) and bytes of a row.
    #[must_use]
    pub fn line(&self, row: usize) -> (u64, &'a [u8]) {
        let RowStart { start, end, line_number } = self.starts[row];
        (line_number, &self.bytes[start as usize..end as usize])
    }

    /// Offset of a row in the bytes that were decoded.
    #[must_use]
    pub fn offset(&self, row: usize) -> u64 {
        u64::from(self.starts[row].start)
    }
}

/// What takes the decoder's output.
pub trait Sink {
    /// A `#Fields` header: the names of the fields of the rows that follow.
    fn fields(&mut self, names: Vec<String>);
    /// Rows; `base_bytes` is the object's offset of the bytes that were decoded.
    fn block(&mut self, block: &Block<'_>, base_bytes: u64);
    /// A line that is no row.
    fn reject(&mut self, reject: Reject);
}

/// The state between two pieces of an object: where it is, and the header it last saw.
#[derive(Debug, Default)]
pub struct Decoder {
    stats: LineStats,
    offset: u64,
    width: usize,
    starts: Vec<RowStart>,
    ends: Vec<u32>,
}

impl Decoder {
    /// Decodes the whole lines of a piece (with `last`, a line without an end too) and returns how many bytes that were;
    /// the caller puts the rest before the next piece. A piece must be smaller than 4 GiB.
    pub fn decode(&mut self, bytes: &[u8], last: bool, sink: &mut impl Sink) -> usize {
        let ascii = bytes.is_ascii();
        let mut position = 0;
        while position < bytes.len() {
            let (end, next) = match memchr(b'\n', &bytes[position..]) {
                Some(length) => (position + length, position + length + 1),
                None if last => (bytes.len(), bytes.len()),
                None => break,
            };
            self.stats.lines += 1;
            let line_end = if bytes[position..end].ends_with(b"\r") { end - 1 } else { end };
            let line = &bytes[position..line_end];
            match line.first() {
                None => self.stats.comment_lines += 1,
                Some(b'#') => self.comment(bytes, line, sink),
                Some(_) => {
                    if let Err(reason) = self.split(bytes, position, line_end, ascii) {
                        sink.reject(self.reject(line, position, reason));
                    }
                }
            }
            if self.starts.len() == BLOCK_ROWS {
                self.flush(bytes, sink);
            }
            position = next;
        }
        self.flush(bytes, sink);
        self.offset += position as u64;
        position
    }

    /// Rejects the beginning of a line whose rest was lost.
    pub fn reject_rest(&mut self, rest: &[u8], reason: String, sink: &mut impl Sink) {
        if !rest.is_empty() {
            self.stats.lines += 1;
            sink.reject(self.reject(rest, 0, reason));
            self.offset += rest.len() as u64;
        }
    }

    /// What became of the lines so far. Rows that a later stage refuses are still counted as rows here.
    #[must_use]
    pub const fn stats(&self) -> LineStats {
        self.stats
    }

    fn comment(&mut self, bytes: &[u8], line: &[u8], sink: &mut impl Sink) {
        self.stats.comment_lines += 1;
        if let Some(names) = line.strip_prefix(b"#Fields:") {
            self.flush(bytes, sink);
            let names = String::from_utf8_lossy(names);
            let names: Vec<String> = names.split_ascii_whitespace().map(str::to_owned).collect();
            self.width = names.len();
            sink.fields(names);
        }
    }

    /// Notes where the fields of a row end; says why where it is none.
    #[expect(clippy::cast_possible_truncation, reason = "a piece is smaller than 4 GiB, so its offsets fit")]
    fn split(&mut self, bytes: &[u8], start: usize, end: usize, ascii: bool) -> Result<(), String> {
        if self.width == 0 {
            return Err("no #Fields header before this line".to_owned());
        }
        let line = &bytes[start..end];
        if !ascii && std::str::from_utf8(line).is_err() {
            return Err("not UTF-8".to_owned());
        }
        let first = self.ends.len();
        self.ends.extend(memchr::memchr_iter(b'\t', line).map(|tab| (start + tab) as u32));
        self.ends.push(end as u32);
        let found = self.ends.len() - first;
        if found > self.width {
            // Surplus values are kept only where they say nothing: AWS's own example row ends in a tab.
            let surplus_start = self.ends[first + self.width - 1] as usize;
            let empty = bytes[surplus_start..end].iter().all(|byte| *byte == b'\t');
            self.ends.truncate(first + if empty { self.width } else { 0 });
            if !empty {
                return Err(format!("{found} values where #Fields names {}", self.width));
            }
        } else if found < self.width {
            self.ends.truncate(first);
            return Err(format!("{found} values where #Fields names {}", self.width));
        }
        self.starts.push(RowStart { start: start as u32, end: end as u32, line_number: self.stats.lines });
        self.stats.rows += 1;
        Ok(())
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
        if !self.starts.is_empty() {
            let block = Block { bytes, starts: &self.starts, ends: &self.ends, width: self.width };
            sink.block(&block, self.offset);
            self.starts.clear();
            self.ends.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen {
        rows: Vec<(u64, u64, Vec<String>)>,
        rejects: Vec<(u64, u64, String, Vec<u8>)>,
        headers: Vec<Vec<String>>,
        width: usize,
    }

    impl Sink for Seen {
        fn fields(&mut self, names: Vec<String>) {
            self.width = names.len();
            self.headers.push(names);
        }

        fn block(&mut self, block: &Block<'_>, base_bytes: u64) {
            for row in 0..block.rows() {
                let values =
                    (0..self.width).map(|field| String::from_utf8(block.value(row, field).to_vec()).unwrap()).collect();
                self.rows.push((block.line(row).0, base_bytes + block.offset(row), values));
            }
        }

        fn reject(&mut self, reject: Reject) {
            self.rejects.push((reject.line_number, reject.byte_offset, reject.reason, reject.raw_line));
        }
    }

    fn decode(text: &[u8], piece_bytes: usize) -> (Seen, LineStats) {
        let (mut decoder, mut seen) = (Decoder::default(), Seen::default());
        let (mut held, mut rest) = (Vec::new(), text);
        loop {
            let (piece, after) = rest.split_at(piece_bytes.min(rest.len()));
            held.extend_from_slice(piece);
            let used = decoder.decode(&held, after.is_empty(), &mut seen);
            held.drain(..used);
            rest = after;
            if rest.is_empty() {
                return (seen, decoder.stats());
            }
        }
    }

    #[test]
    fn lines_of_every_kind_in_pieces_of_every_size() {
        let text =
            b"early\n#Version: 1.0\n#Fields: a b\n1\t2\r\n\n3\n4\t5\t\t\n6\t7\t8\n#Fields:\tc\n\xff\n\xc3\xa9\n9";
        for piece_bytes in 1..=text.len() {
            let (seen, stats) = decode(text, piece_bytes);
            let values = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            assert_eq!(seen.headers, [values(&["a", "b"]), values(&["c"])]);
            assert_eq!(
                seen.rows,
                [
                    (4, 33, values(&["1", "2"])),
                    (7, 41, values(&["4", "5"])),
                    (11, 66, values(&["\u{e9}"])),
                    (12, 69, values(&["9"])),
                ]
            );
            let reasons: Vec<_> =
                seen.rejects.iter().map(|(line, at, reason, _)| (*line, *at, reason.as_str())).collect();
            assert_eq!(
                reasons,
                [
                    (1, 0, "no #Fields header before this line"),
                    (6, 39, "1 values where #Fields names 2"),
                    (8, 47, "3 values where #Fields names 2"),
                    (10, 64, "not UTF-8"),
                ]
            );
            assert_eq!(seen.rejects[3].3, b"\xff");
            assert_eq!(stats, LineStats { lines: 12, rows: 4, rejected_lines: 4, comment_lines: 4 });
        }
    }

    #[test]
    fn blocks_are_cut_at_their_size_and_nothing_is_lost() {
        let mut text = b"#Fields: n\n".to_vec();
        for n in 0..=3 * BLOCK_ROWS {
            text.extend_from_slice(format!("{n}\n").as_bytes());
        }
        let (seen, stats) = decode(&text, usize::MAX);
        assert_eq!(stats.rows, 3 * BLOCK_ROWS as u64 + 1);
        assert!(seen.rows.iter().enumerate().all(|(n, row)| row.2 == [n.to_string()]));
    }
}
