//! A column chunk of text from the numbers of its rows: the dictionary is there already, so nothing
//! is hashed again.
//!
//! The Parquet writer's own path takes text, hashes every value of every row and compares it with
//! the one it finds: a fifth of a conversion. Here a chunk is one pass that numbers the texts as
//! the rows meet them, and one that packs the numbers. Pages, statistics and indexes are those that
//! the specification asks for (Parquet format, "Data Pages", "Encodings", "Page Index"); page
//! headers and the footer stay the library's.

use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, PageType, Type, ZstdLevel};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::compress::compress;
use super::filter;
use super::hybrid::{bits_for, push_hybrid, push_run};
use super::limits::{DICTIONARY_LIMIT_BYTES, PAGE_LIMIT_BYTES, PAGE_ROWS, STATISTICS_LIMIT_BYTES, dictionary_level};
use super::text::CodedText;
use crate::kernel::columns::interner::NULL;

/// What every chunk of a column has in common.
#[derive(Clone, Debug)]
pub(super) struct CodedColumn {
    pub(super) descriptor: ColumnDescPtr,
    pub(super) statistics: bool,
    pub(super) level: ZstdLevel,
    /// Whether it has a Bloom filter, and then whether nearly every text is its own.
    pub(super) filter: Option<bool>,
}

/// Rows of which all texts fit into a core's first cache.
const ROWS_AT_HAND: usize = 128;

/// The bytes that a text's length takes before it.
const LENGTH_BYTES: usize = 4;

impl CodedColumn {
    /// Encodes a chunk.
    pub(super) fn encode(&self, text: CodedText<'_>) -> Result<(Bytes, ColumnCloseResult)> {
        let dictionary = Dictionary::of(text);
        let mut chunk = CodedChunk::new(self);
        chunk.filter = self.filter.and_then(|unique| filter::empty(text, unique));
        let mut sink = TrackedWrite::new(Vec::new());
        if let Some(dictionary) = &dictionary {
            chunk.write_dictionary(&mut sink, dictionary)?;
        }
        let mut start = 0;
        while start < text.numbers.len() {
            let end = if dictionary.is_some() {
                text.numbers.len().min(start + PAGE_ROWS)
            } else {
                plain_page_end(text, start)
            };
            chunk.write_page(&mut sink, text, dictionary.as_ref(), start..end)?;
            start = end;
        }
        let bytes = sink.into_inner().map_err(|error| ParquetError::External(error.to_string().into()))?;
        Ok((bytes.into(), chunk.close(text.numbers.len(), dictionary.is_some())?))
    }
}

/// Plain pages end at a size too: long texts make long pages.
fn plain_page_end(text: CodedText<'_>, start: usize) -> usize {
    let mut size_bytes = 0;
    for (row, number) in text.numbers.iter().enumerate().skip(start).take(PAGE_ROWS) {
        size_bytes += LENGTH_BYTES + text.values[*number as usize].len();
        if size_bytes > PAGE_LIMIT_BYTES {
            return row + 1;
        }
    }
    text.numbers.len().min(start + PAGE_ROWS)
}

/// The texts of a chunk in the order in which its rows meet them.
struct Dictionary {
    /// By number of text: its place in the dictionary.
    places: Vec<u32>,
    bytes: Vec<u8>,
    count: u32,
}

impl Dictionary {
    /// A dictionary, where it is smaller than the texts themselves and not too large to be held by
    /// a reader.
    fn of(text: CodedText<'_>) -> Option<Self> {
        const UNSEEN: u32 = u32::MAX;
        if !text.repeats {
            return None;
        }
        let mut dictionary = Self { places: vec![UNSEEN; text.values.len()], bytes: Vec::new(), count: 0 };
        let (mut plain_bytes, mut valid_rows) = (0, 0);
        for number in text.numbers.iter().filter(|number| **number != NULL) {
            let value = text.values[*number as usize];
            plain_bytes += LENGTH_BYTES + value.len();
            valid_rows += 1;
            if dictionary.places[*number as usize] == UNSEEN {
                if dictionary.bytes.len() + value.len() > DICTIONARY_LIMIT_BYTES {
                    return None;
                }
                dictionary.places[*number as usize] = dictionary.count;
                dictionary.count += 1;
                push_plain(&mut dictionary.bytes, value);
            }
        }
        let packed_bytes = valid_rows * bits_for(dictionary.count.saturating_sub(1)) as usize / 8;
        (dictionary.bytes.len() + packed_bytes < plain_bytes).then_some(dictionary)
    }
}

/// A text as the PLAIN encoding has it: its length, itself.
fn push_plain(out: &mut Vec<u8>, value: &[u8]) {
    // A text of 4 GiB cannot be: its part numbers bytes by u32.
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
}

/// The least and the greatest text of some rows.
#[derive(Clone, Copy)]
struct TextRange<'a> {
    least: &'a [u8],
    greatest: &'a [u8],
}

/// What is told of a chunk while its pages are written.
struct CodedChunk<'c, 'a> {
    column: &'c CodedColumn,
    page_bounds: ColumnIndexBuilder,
    page_places: OffsetIndexBuilder,
    spans: Vec<Option<TextRange<'a>>>,
    compressed_bytes: usize,
    uncompressed_bytes: usize,
    text_bytes: usize,
    null_count: usize,
    data_page_offset: Option<u64>,
    data_pages: i32,
    filter: Option<Sbbf>,
    scratch: Vec<u8>,
    places: Vec<u32>,
}

impl<'c, 'a> CodedChunk<'c, 'a> {
    fn new(column: &'c CodedColumn) -> Self {
        Self {
            column,
            page_bounds: ColumnIndexBuilder::new(Type::BYTE_ARRAY),
            page_places: OffsetIndexBuilder::new(),
            spans: Vec::new(),
            compressed_bytes: 0,
            uncompressed_bytes: 0,
            text_bytes: 0,
            null_count: 0,
            data_page_offset: None,
            data_pages: 0,
            filter: None,
            scratch: Vec::new(),
            places: Vec::new(),
        }
    }

    fn write(&mut self, sink: &mut TrackedWrite<Vec<u8>>, page: CompressedPage) -> Result<PageWriteSpec> {
        let written = SerializedPageWriter::new(sink).write_page(page)?;
        self.compressed_bytes += written.compressed_size;
        self.uncompressed_bytes += written.uncompressed_size;
        Ok(written)
    }

    fn write_dictionary(&mut self, sink: &mut TrackedWrite<Vec<u8>>, dictionary: &Dictionary) -> Result<()> {
        let page = Page::DictionaryPage {
            buf: compress(&dictionary.bytes, dictionary_level())?,
            num_values: dictionary.count,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        self.write(sink, CompressedPage::new(page, dictionary.bytes.len())).map(|_| ())
    }

    fn write_page(
        &mut self,
        sink: &mut TrackedWrite<Vec<u8>>,
        text: CodedText<'a>,
        dictionary: Option<&Dictionary>,
        rows: Range<usize>,
    ) -> Result<()> {
        let numbers = &text.numbers[rows];
        let mut body = std::mem::take(&mut self.scratch);
        body.clear();
        let nulls = self.push_levels(&mut body, numbers);
        let mut text_bytes = 0;
        if let Some(dictionary) = dictionary {
            self.places.clear();
            for number in numbers.iter().filter(|number| **number != NULL) {
                self.places.push(dictionary.places[*number as usize]);
                text_bytes += text.values[*number as usize].len();
            }
            if let Some(filter) = &mut self.filter {
                let valid = numbers.iter().filter(|number| **number != NULL);
                valid.for_each(|number| filter.insert(text.values[*number as usize]));
            }
            let bits = bits_for(dictionary.count.saturating_sub(1));
            body.extend_from_slice(&bits.to_le_bytes()[..1]);
            push_hybrid(&mut body, &self.places, bits);
        } else {
            // Texts lie anywhere: those of some rows are fetched side by side, and then are at hand
            // for the filter.
            for rows in numbers.chunks(ROWS_AT_HAND) {
                let valid = || rows.iter().filter(|number| **number != NULL);
                for number in valid() {
                    let value = text.values[*number as usize];
                    push_plain(&mut body, value);
                    text_bytes += value.len();
                }
                if let Some(filter) = &mut self.filter {
                    // Sorted rows are alike: one of several is enough.
                    let mut last = NULL;
                    for number in valid() {
                        if std::mem::replace(&mut last, *number) != *number {
                            filter.insert(text.values[*number as usize]);
                        }
                    }
                }
            }
        }
        let encoding = if dictionary.is_some() { Encoding::RLE_DICTIONARY } else { Encoding::PLAIN };
        let page = Page::DataPage {
            buf: compress(&body, self.column.level)?,
            num_values: u32::try_from(numbers.len()).map_err(too_large)?,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = self.write(sink, CompressedPage::new(page, body.len()))?;
        self.scratch = body;
        self.note_page(&written, numbers.len(), nulls, text_bytes)?;
        if self.column.statistics {
            self.note_span(span(numbers, text.values), nulls)?;
        }
        Ok(())
    }

    /// The definition levels: which rows have a text.
    fn push_levels(&mut self, body: &mut Vec<u8>, numbers: &[u32]) -> usize {
        let start = body.len();
        body.extend_from_slice(&[0; LENGTH_BYTES]);
        let nulls = numbers.iter().filter(|number| **number == NULL).count();
        if nulls == 0 || nulls == numbers.len() {
            push_run(body, numbers.len(), u32::from(nulls == 0), 1);
        } else {
            self.places.clear();
            self.places.extend(numbers.iter().map(|number| u32::from(*number != NULL)));
            push_hybrid(body, &self.places, 1);
        }
        let length = u32::try_from(body.len() - start - LENGTH_BYTES).unwrap_or(u32::MAX);
        body[start..start + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        nulls
    }

    fn note_page(&mut self, written: &PageWriteSpec, rows: usize, nulls: usize, text_bytes: usize) -> Result<()> {
        self.data_page_offset.get_or_insert(written.offset);
        self.data_pages += 1;
        self.null_count += nulls;
        self.text_bytes += text_bytes;
        self.page_places.append_row_count(i64::try_from(rows).map_err(too_large)?);
        self.page_places.append_offset_and_size(
            i64::try_from(written.offset).map_err(too_large)?,
            i32::try_from(written.compressed_size).map_err(too_large)?,
        );
        self.page_places.append_unencoded_byte_array_data_bytes(Some(i64::try_from(text_bytes).map_err(too_large)?));
        Ok(())
    }

    fn note_span(&mut self, span: Option<TextRange<'a>>, nulls: usize) -> Result<()> {
        let bound = |value: Option<&[u8]>| value.unwrap_or_default().to_vec();
        self.page_bounds.append(
            span.is_none(),
            bound(span.map(|span| span.least)),
            bound(span.map(|span| span.greatest)),
            i64::try_from(nulls).map_err(too_large)?,
        );
        self.spans.push(span);
        Ok(())
    }

    fn close(mut self, rows: usize, has_dictionary: bool) -> Result<ColumnCloseResult> {
        let signed = |size: usize| i64::try_from(size).map_err(too_large);
        let encoding = if has_dictionary { Encoding::RLE_DICTIONARY } else { Encoding::PLAIN };
        let mut pages = vec![PageEncodingStats { page_type: PageType::DATA_PAGE, encoding, count: self.data_pages }];
        if has_dictionary {
            let page_type = PageType::DICTIONARY_PAGE;
            pages.insert(0, PageEncodingStats { page_type, encoding: Encoding::PLAIN, count: 1 });
        }
        let mut encodings = vec![Encoding::PLAIN, Encoding::RLE];
        encodings.extend(has_dictionary.then_some(Encoding::RLE_DICTIONARY));
        let mut metadata = ColumnChunkMetaData::builder(self.column.descriptor.clone())
            .set_compression(Compression::ZSTD(self.column.level))
            .set_encodings(encodings)
            .set_page_encoding_stats(pages)
            .set_total_compressed_size(signed(self.compressed_bytes)?)
            .set_total_uncompressed_size(signed(self.uncompressed_bytes)?)
            .set_num_values(signed(rows)?)
            .set_unencoded_byte_array_data_bytes(Some(signed(self.text_bytes)?))
            .set_data_page_offset(i64::try_from(self.data_page_offset.unwrap_or(0)).map_err(too_large)?)
            .set_dictionary_page_offset(has_dictionary.then_some(0));
        let mut column_index = None;
        if self.column.statistics {
            let spans: Vec<TextRange<'_>> = self.spans.iter().flatten().copied().collect();
            let whole = spans.iter().copied().reduce(TextRange::join).filter(TextRange::is_short);
            let bound = |value: &[u8]| ByteArray::from(value.to_vec());
            let statistics = ValueStatistics::new(
                whole.map(|span| bound(span.least)),
                whole.map(|span| bound(span.greatest)),
                None,
                Some(self.null_count as u64),
                false,
            );
            metadata = metadata.set_statistics(Statistics::ByteArray(statistics));
            // A text of such a length is no location and no address: its chunk is not pruned,
            // rather than cut wrongly.
            if spans.iter().all(TextRange::is_short) {
                self.page_bounds.set_boundary_order(order_of(&spans));
                column_index = Some(self.page_bounds.build()?);
            }
        }
        Ok(ColumnCloseResult {
            bytes_written: self.compressed_bytes as u64,
            rows_written: rows as u64,
            metadata: metadata.build()?,
            bloom_filter: self.filter,
            column_index,
            offset_index: Some(self.page_places.build()),
        })
    }
}

impl TextRange<'_> {
    fn join(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), greatest: self.greatest.max(other.greatest) }
    }

    const fn is_short(&self) -> bool {
        self.least.len() <= STATISTICS_LIMIT_BYTES && self.greatest.len() <= STATISTICS_LIMIT_BYTES
    }
}

/// The least and the greatest text; `None` where there is none.
fn span<'a>(numbers: &[u32], values: &'a [&'a [u8]]) -> Option<TextRange<'a>> {
    let mut span: Option<TextRange<'a>> = None;
    let mut last = NULL;
    for number in numbers {
        // Sorted rows are alike: only a change is worth a look.
        if *number == last || *number == NULL {
            continue;
        }
        last = *number;
        let value = values[*number as usize];
        let one = TextRange { least: value, greatest: value };
        span = Some(span.map_or(one, |span| span.join(one)));
    }
    span
}

fn order_of(spans: &[TextRange<'_>]) -> BoundaryOrder {
    let ascending = |pair: &[TextRange<'_>]| pair[0].least <= pair[1].least && pair[0].greatest <= pair[1].greatest;
    if spans.windows(2).all(ascending) { BoundaryOrder::ASCENDING } else { BoundaryOrder::UNORDERED }
}

fn too_large(error: std::num::TryFromIntError) -> ParquetError {
    ParquetError::External(Box::new(error))
}
