//! The table of lines that are no rows.

use super::column::ColumnType::{self, Bigint, Binary, String as Text};
use super::column::PrivacyClass::{self, Nothing, RejectedLine};
use super::column::RejectFact::{self, ByteOffset, LineBytes, LineNumber, LineSha256, RawLine, Reason, SourceTable};
use super::column::{Column, Origin, made, unique};
use super::shared::filename;

const fn reject(
    fact: RejectFact,
    name: &'static str,
    kind: ColumnType,
    privacy: PrivacyClass,
    doc: &'static str,
) -> Column {
    made(Origin::Reject(fact), name, kind, privacy, doc)
}

pub(super) const COLUMNS: &[Column] = &[
    reject(SourceTable, "source_table", Text, Nothing, "Table that the line was meant for"),
    filename("Key of the raw object"),
    reject(LineNumber, "line_number", Bigint, Nothing, "Line in the decompressed object, from 1"),
    reject(ByteOffset, "byte_offset", Bigint, Nothing, "Offset of the line in the decompressed object, from 0"),
    reject(Reason, "reason", Text, RejectedLine, "Why the line is no row"),
    unique(reject(
        RawLine,
        "raw_line",
        Binary,
        RejectedLine,
        "The line as it was, without its end; NULL where the job keeps less of people",
    )),
    reject(LineBytes, "line_bytes", Bigint, Nothing, "Length of the line"),
    reject(
        LineSha256,
        "line_sha256",
        Text,
        RejectedLine,
        "SHA-256 of the line in hexadecimal, where raw_line is NULL for privacy",
    ),
];
