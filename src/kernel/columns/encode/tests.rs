//! What was written, read by the library's own reader: values, statistics and page index.

use arrow::array::{AsArray, new_null_array};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use proptest::prelude::*;

use crate::kernel::columns::encode::*;
use crate::kernel::columns::interner::Interner;
use crate::kernel::schema::column_index;

const TABLE: Table = Table::CloudfrontLogs;

/// Writes some texts as the location (with statistics) and as the path (without); all other columns
/// are NULL.
fn write(texts: &[Option<String>], repeats: bool) -> Vec<u8> {
    let mut interner = Interner::default();
    let numbers: Vec<u32> =
        texts.iter().map(|text| text.as_ref().map_or(0, |text| interner.number(text.as_bytes()))).collect();
    let known = interner.take();
    let values: Vec<&[u8]> = (0..=u32::try_from(known.len()).unwrap()).map(|number| known.get(number)).collect();
    let mut file = FileEncoder::new(TABLE, &crate::kernel::policy::recipe::Fingerprint::default()).unwrap();
    let encoded = file.row_group().unwrap().into_iter().map(|task| {
        let values = match task.field().name().as_str() {
            "x_edge_location" | "cs_uri_stem" | "c_ip" | "x_edge_request_id" => {
                ColumnValues::Text(CodedText { numbers: &numbers, values: &values, repeats })
            }
            _ => ColumnValues::Array(new_null_array(task.field().data_type(), texts.len())),
        };
        task.encode(&values).unwrap()
    });
    let encoded = encoded.collect();
    file.append(encoded).unwrap();
    file.finish().unwrap()
}

fn read(bytes: &[u8], name: &str) -> (Vec<Option<String>>, ParquetMetaData) {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Bytes::copy_from_slice(bytes), options);
    let builder = builder.unwrap();
    let metadata = builder.metadata().as_ref().clone();
    let mut texts = Vec::new();
    for batch in builder.build().unwrap() {
        let batch = batch.unwrap();
        let column = batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        texts.extend(column.iter().map(|text| text.map(str::to_owned)));
    }
    (texts, metadata)
}

fn texts() -> impl Strategy<Value = Vec<Option<String>>> {
    let text = prop_oneof![
        2 => Just(None),
        4 => "[a-d]{0,2}".prop_map(Some),
        1 => ".{0,80}".prop_map(Some),
    ];
    let runs = proptest::collection::vec((text, 1_usize..30), 1..40);
    runs.prop_map(|runs| runs.into_iter().flat_map(|(text, count)| std::iter::repeat_n(text, count)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn texts_come_back(texts in texts(), repeats in any::<bool>()) {
        let bytes = write(&texts, repeats);
        let (read_texts, metadata) = read(&bytes, "x_edge_location");
        prop_assert_eq!(&read_texts, &texts);
        prop_assert_eq!(&read(&bytes, "cs_uri_stem").0, &texts);
        let chunk = metadata.row_group(0).column(column_index(TABLE, "x_edge_location").unwrap());
        let statistics = chunk.statistics().unwrap();
        prop_assert_eq!(statistics.null_count_opt(), Some(texts.iter().filter(|text| text.is_none()).count() as u64));
        let (least, greatest) = (texts.iter().flatten().min(), texts.iter().flatten().max());
        let short = [least, greatest].iter().flatten().all(|text| text.len() <= STATISTICS_LIMIT_BYTES);
        let bound = |text: Option<&String>| text.filter(|_| short).map(|text| text.as_bytes().to_vec());
        prop_assert_eq!(statistics.min_bytes_opt().map(<[u8]>::to_vec), bound(least));
        prop_assert_eq!(statistics.max_bytes_opt().map(<[u8]>::to_vec), bound(greatest));
    }
}

#[test]
fn pages_are_cut_and_each_has_its_bounds() {
    let texts: Vec<Option<String>> =
        (0..PAGE_ROWS * 2 + 5).map(|row| (row >= PAGE_ROWS).then(|| format!("{:06}", row / 3))).collect();
    let bytes = write(&texts, true);
    let (read_texts, metadata) = read(&bytes, "x_edge_location");
    assert_eq!(read_texts, texts);
    let column = column_index(TABLE, "x_edge_location").unwrap();
    let places = &metadata.offset_index().unwrap()[0][column];
    let rows: Vec<i64> = places.page_locations().iter().map(|page| page.first_row_index).collect();
    assert_eq!(rows, [0, 20_000, 40_000]);
    let ColumnIndexMetaData::BYTE_ARRAY(bounds) = &metadata.column_index().unwrap()[0][column] else {
        panic!("the location has page bounds")
    };
    assert!(bounds.is_null_page(0));
    assert_eq!((bounds.min_value(1), bounds.max_value(1)), (Some(&b"006666"[..]), Some(&b"013333"[..])));
    assert_eq!((bounds.min_value(2), bounds.max_value(2)), (Some(&b"013333"[..]), Some(&b"013334"[..])));
}

#[test]
fn what_no_dictionary_can_hold_is_written_plainly() {
    // Distinct texts of more than the limit, and long ones: pages end at a size.
    let texts: Vec<Option<String>> =
        (0..4_000).map(|row| Some(format!("{row:04}").repeat(DICTIONARY_LIMIT_BYTES / 8_000))).collect();
    let bytes = write(&texts, true);
    let (read_texts, metadata) = read(&bytes, "cs_uri_stem");
    assert_eq!(read_texts, texts);
    let column = column_index(TABLE, "cs_uri_stem").unwrap();
    let chunk = metadata.row_group(0).column(column);
    assert_eq!(chunk.dictionary_page_offset(), None);
    assert!(metadata.offset_index().unwrap()[0][column].page_locations().len() >= 15, "pages of about 1 MiB");
}

#[test]
fn a_filter_passes_what_is_there_and_little_else() {
    for count in [1, 100, 3_000, 40_000] {
        let texts: Vec<Option<String>> =
            (0..count * 2).map(|row| (row % 5 > 0).then(|| format!("id{}", row % count))).collect();
        let bytes = Bytes::from(write(&texts, true));
        let options = ReaderProperties::builder().set_read_bloom_filter(true).build();
        let options = ReadOptionsBuilder::new().with_reader_properties(options).build();
        let reader = SerializedFileReader::new_with_options(bytes, options).unwrap();
        let row_group = reader.get_row_group(0).unwrap();
        for name in ["c_ip", "x_edge_request_id"] {
            let filter = row_group.get_column_bloom_filter(column_index(TABLE, name).unwrap()).unwrap();
            assert!(texts.iter().flatten().all(|text| filter.check(text.as_str())), "{name} of {count}");
            let strange = (0..10_000).filter(|number| filter.check(format!("other{number}").as_str())).count();
            assert!(strange < 1_000, "{strange} of 10,000 texts that are not there pass, {name} of {count}");
        }
        assert!(row_group.get_column_bloom_filter(column_index(TABLE, "cs_uri_stem").unwrap()).is_none());
    }
}
