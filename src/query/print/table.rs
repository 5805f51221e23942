//! A table with borders. The first rows say how wide the columns are; a longer value further down
//! is written whole, and its line is longer.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use unicode_width::UnicodeWidthStr;

use super::values::{ColumnWriter, flat};

/// Rows that say how wide the columns are.
pub(super) const ROWS_LOOKED_AT: usize = 1_000;

/// The texts of some rows, row by row.
#[expect(clippy::struct_field_names, reason = "cells are what it holds")]
pub(super) struct Cells {
    text: String,
    /// Where each cell ends in the text, and how many places it takes on a screen.
    cells: Vec<(usize, usize)>,
    columns: usize,
    pub(super) rows: usize,
}

impl Cells {
    /// The texts of a batch.
    pub(super) fn new(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let columns = batch.columns().iter().map(flat).collect::<Result<Vec<ArrayRef>, _>>()?;
        let mut columns = columns.iter().map(ColumnWriter::new).collect::<Result<Vec<_>, _>>()?;
        let mut cells = Self::none(columns.len(), batch.num_rows());
        let mut value = Vec::new();
        for row in 0..batch.num_rows() {
            for column in &mut columns {
                value.clear();
                column.write(row, &mut value)?;
                cells.push(&String::from_utf8_lossy(&value));
            }
        }
        Ok(cells)
    }

    /// The names of the columns.
    pub(super) fn names(schema: &Schema) -> Self {
        let mut cells = Self::none(schema.fields().len(), 1);
        schema.fields().iter().for_each(|field| cells.push(field.name()));
        cells
    }

    fn none(columns: usize, rows: usize) -> Self {
        Self { text: String::new(), cells: Vec::with_capacity(columns * rows), columns, rows }
    }

    fn push(&mut self, value: &str) {
        let start = self.text.len();
        // Whoever sends a request chooses its user agent; decoded, it could steer the reader's
        // terminal.
        let shown = |letter: char| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter };
        if value.is_ascii() && !value.bytes().any(|byte| byte.is_ascii_control()) {
            self.text.push_str(value);
            self.cells.push((self.text.len(), value.len()));
            return;
        }
        self.text.extend(value.chars().map(shown));
        let width = self.text[start..].split('\n').map(UnicodeWidthStr::width).max().unwrap_or(0);
        self.cells.push((self.text.len(), width));
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + size_of_val(self.cells.as_slice())
    }

    /// Makes columns as wide as the first rows ask for.
    pub(super) fn widen(&self, widths: &mut Vec<usize>, rows: usize) {
        widths.resize(self.columns, 0);
        for (place, (_, width)) in self.cells.iter().take(rows.saturating_mul(self.columns)).enumerate() {
            let wide = &mut widths[place % self.columns];
            *wide = (*wide).max(*width);
        }
    }

    /// The lines of the rows.
    pub(super) fn lines(&self, widths: &[usize]) -> Vec<u8> {
        let line: usize = widths.iter().map(|width| width + 3).sum::<usize>() + 2;
        let mut out = Vec::with_capacity(line * self.rows);
        let mut start = 0;
        for row in 0..self.rows {
            let cells = &self.cells[row * self.columns..(row + 1) * self.columns];
            let end = cells.last().map_or(start, |(end, _)| *end);
            if self.text[start..end].contains('\n') {
                self.tall(cells, start, widths, &mut out);
            } else {
                let mut from = start;
                for ((end, width), wide) in cells.iter().zip(widths) {
                    cell(&self.text[from..*end], *width, *wide, &mut out);
                    from = *end;
                }
                out.extend_from_slice(b"|\n");
            }
            start = end;
        }
        out
    }

    /// A row with a value of several lines, which takes as many lines.
    fn tall(&self, cells: &[(usize, usize)], start: usize, widths: &[usize], out: &mut Vec<u8>) {
        let starts = std::iter::once(start).chain(cells.iter().map(|(end, _)| *end));
        let texts: Vec<Vec<&str>> =
            starts.zip(cells).map(|(start, (end, _))| self.text[start..*end].split('\n').collect()).collect();
        for line in 0..texts.iter().map(Vec::len).max().unwrap_or(0) {
            for (text, wide) in texts.iter().zip(widths) {
                let text = text.get(line).copied().unwrap_or_default();
                cell(text, text.width(), *wide, out);
            }
            out.extend_from_slice(b"|\n");
        }
    }
}

fn cell(text: &str, width: usize, wide: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"| ");
    out.extend_from_slice(text.as_bytes());
    out.resize(out.len() + wide.saturating_sub(width) + 1, b' ');
}

/// The line between the names and the rows, above and below.
pub(super) fn border(widths: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    for width in widths {
        out.push(b'+');
        out.resize(out.len() + width + 2, b'-');
    }
    out.extend_from_slice(b"+\n");
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::util::pretty::pretty_format_batches;

    use super::*;

    #[test]
    fn a_table_of_few_rows_is_the_one_that_arrow_draws() {
        let text = StringArray::from(vec![Some("a"), None, Some("日本 é"), Some("two\nlines of it"), Some("")]);
        let number = Int64Array::from(vec![Some(1), Some(-22), None, Some(4), Some(5)]);
        let columns: Vec<(&str, ArrayRef)> = vec![("name", Arc::new(text)), ("a long name", Arc::new(number))];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
                .unwrap();
        let (names, cells) = (Cells::names(&batch.schema()), Cells::new(&batch).unwrap());
        let mut widths = Vec::new();
        names.widen(&mut widths, 1);
        cells.widen(&mut widths, ROWS_LOOKED_AT);
        let edge = border(&widths);
        let drawn = [&edge, &names.lines(&widths), &edge, &cells.lines(&widths), &edge].map(Vec::as_slice).concat();
        let judged = pretty_format_batches(&[batch]).unwrap().to_string() + "\n";
        assert_eq!(String::from_utf8(drawn).unwrap(), judged);
    }

    #[test]
    fn what_is_longer_further_down_is_whole() {
        let batch = |values: Vec<&str>| {
            let column: ArrayRef = Arc::new(StringArray::from(values));
            RecordBatch::try_from_iter([("a", column)]).unwrap()
        };
        let mut widths = Vec::new();
        Cells::new(&batch(vec!["aa", "longer"])).unwrap().widen(&mut widths, 1);
        let lines = Cells::new(&batch(vec!["longer", "b"])).unwrap().lines(&widths);
        assert_eq!(String::from_utf8(lines).unwrap(), "| longer |\n| b  |\n");
    }
}
