//! Answers as text: a table for people, CSV and JSON lines for programs, written while the rows
//! come. Instants are written as UTC, `2026-11-21T05:00:00Z`.
//!
//! | file | what it does |
//! |-|-|
//! | `table` | a table with borders |
//! | `csv` | comma-separated values |
//! | `json` | one JSON object a line |
//! | `values` | one value as text |

mod csv;
mod json;
mod table;
mod values;

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use futures::StreamExt;

use super::answer::QueryAnswer;
use super::stream::{AnswerPiece, AnswerPieces};
use crate::error::{Error, Result};
use table::{Cells, ROWS_LOOKED_AT, border};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFormat {
    /// A table with borders. The first 1,000 rows say how wide its columns are; a longer value
    /// makes its own line longer.
    Table,
    /// Comma-separated values with a header; NULL is empty.
    Csv,
    /// One JSON object per row and line; NULL is `null`.
    Json,
}

/// Writes an answer row by row while it comes; how many rows there were. Nothing is written before
/// the first row is known, or that there is none.
///
/// # Errors
/// `Error::Storage` with the `std::io::Error` as its source where `out` takes no more, a closed
/// pipe included; `Error::Encode` where a value cannot be written in the format; those of the query
/// itself.
pub async fn print(answer: QueryAnswer, format: AnswerFormat, out: &mut (dyn Write + Send)) -> Result<u64> {
    let schema = answer.schema.clone();
    let rows = match format {
        AnswerFormat::Table => table(&schema, answer.pieces(Cells::new), out).await?,
        AnswerFormat::Csv => {
            text(&csv::header(&schema), answer.pieces(|batch| TextPiece::new(batch, csv::lines)), out).await?
        }
        AnswerFormat::Json => text(b"", answer.pieces(|batch| TextPiece::new(batch, json::lines)), out).await?,
    };
    out.flush().map_err(unwritten)?;
    Ok(rows)
}

/// The lines of some rows.
struct TextPiece {
    lines: Vec<u8>,
    rows: usize,
}

impl TextPiece {
    fn new(
        batch: &RecordBatch,
        lines: fn(&RecordBatch) -> std::result::Result<Vec<u8>, ArrowError>,
    ) -> std::result::Result<Self, ArrowError> {
        Ok(Self { lines: lines(batch)?, rows: batch.num_rows() })
    }
}

impl AnswerPiece for TextPiece {
    fn bytes(&self) -> usize {
        self.lines.capacity()
    }
}

impl AnswerPiece for Cells {
    fn bytes(&self) -> usize {
        Self::bytes(self)
    }
}

/// Writes lines as they are.
async fn text(head: &[u8], mut pieces: AnswerPieces<TextPiece>, out: &mut (dyn Write + Send)) -> Result<u64> {
    let mut rows = 0;
    let mut head = Some(head);
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        if let Some(head) = head.take() {
            put(head, out)?;
        }
        put(&piece.lines, out)?;
        rows += piece.rows as u64;
    }
    put(head.unwrap_or_default(), out)?;
    Ok(rows)
}

/// Looks at the first rows for the width of the columns, then writes each row when it comes.
async fn table(schema: &Schema, mut pieces: AnswerPieces<Cells>, out: &mut (dyn Write + Send)) -> Result<u64> {
    let names = Cells::names(schema);
    let mut widths = Vec::new();
    names.widen(&mut widths, names.rows);
    let mut first = VecDeque::new();
    let mut seen = 0;
    while seen < ROWS_LOOKED_AT
        && let Some(piece) = pieces.next().await
    {
        let piece = piece?;
        piece.widen(&mut widths, ROWS_LOOKED_AT - seen);
        seen += piece.rows;
        first.push_back(piece);
    }
    // What has no columns, such as the answer to a command, draws no table.
    let edge = if widths.is_empty() { Vec::new() } else { border(&widths) };
    put(&edge, out)?;
    put(&if widths.is_empty() { Vec::new() } else { names.lines(&widths) }, out)?;
    put(&edge, out)?;
    let mut rows = 0;
    loop {
        let piece = match first.pop_front() {
            Some(piece) => piece,
            None => match pieces.next().await {
                Some(piece) => piece?,
                None => break,
            },
        };
        put(&piece.lines(&widths), out)?;
        rows += piece.rows as u64;
    }
    put(&edge, out)?;
    Ok(rows)
}

fn put(bytes: &[u8], out: &mut (dyn Write + Send)) -> Result<()> {
    if bytes.is_empty() { Ok(()) } else { out.write_all(bytes).map_err(unwritten) }
}

fn unwritten(error: std::io::Error) -> Error {
    Error::io("write", Path::new("the answer"), error)
}
