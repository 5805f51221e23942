//! The footer of a Parquet file: how many rows does it say the file holds?

use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};

/// Bytes from a file's end that hold most footers whole.
pub const TAIL_BYTES: u64 = 64 << 10;

/// What the end of a file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Footer {
    /// The file's rows.
    Rows(u64),
    /// The footer begins before these bytes: so many are needed from the end.
    Longer(u64),
}

/// Reads the end of a file of `size_bytes`; says why where it is no Parquet file's.
pub fn read(tail: &bytes::Bytes, size_bytes: u64) -> Result<Footer, ParquetError> {
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
    match reader.try_parse_sized(tail, size_bytes) {
        Ok(()) => {}
        Err(ParquetError::NeedMoreData(needed)) if (tail.len() as u64) < size_bytes => {
            // At least twice as many, so that this comes to an end.
            return Ok(Footer::Longer((needed as u64).max(tail.len() as u64 * 2).min(size_bytes)));
        }
        Err(error) => return Err(error),
    }
    let rows = reader.finish()?.file_metadata().num_rows();
    u64::try_from(rows).map(Footer::Rows).map_err(|_| ParquetError::General(format!("it says {rows} rows")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::columns::encode::FileEncoder;
    use crate::model::Table;

    #[test]
    fn a_footer_is_read_from_as_much_of_the_end_as_it_takes() {
        let whole = bytes::Bytes::from(
            FileEncoder::new(Table::CloudfrontLogs, &crate::kernel::policy::recipe::Fingerprint::default())
                .unwrap()
                .finish()
                .unwrap(),
        );
        let size_bytes = whole.len() as u64;
        assert_eq!(read(&whole, size_bytes).unwrap(), Footer::Rows(0));
        let mut tail_bytes = 8;
        let rows = loop {
            let start = whole.len() - usize::try_from(tail_bytes).unwrap();
            match read(&whole.slice(start..), size_bytes).unwrap() {
                Footer::Longer(needed) => {
                    assert!(needed > tail_bytes && needed <= size_bytes, "{needed} of {size_bytes}");
                    tail_bytes = needed;
                }
                Footer::Rows(rows) => break rows,
            }
        };
        assert!(rows == 0 && tail_bytes > 8, "the second look has it");
        assert!(read(&bytes::Bytes::from_static(b"no Parquet at all"), 17).is_err());
    }
}
