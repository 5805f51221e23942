//! The footer of a Parquet file: how many rows does it say the file holds, and what does it say was
//! kept of people?

use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, PageIndexPolicy, ParquetMetaDataReader};

use super::encode::PRIVACY_KEY;

/// Bytes from a file's end that hold most footers whole.
pub const TAIL_BYTES: u64 = 64 << 10;

/// What the end of a file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Footer<T> {
    /// What was asked.
    Told(T),
    /// The footer begins before these bytes: so many are needed from the end.
    Longer(u64),
}

/// The rows of a file of `size_bytes`, by its end; says why where it is no Parquet file's.
pub fn rows(tail: &bytes::Bytes, size_bytes: u64) -> Result<Footer<u64>, ParquetError> {
    read(tail, size_bytes, |metadata| {
        let rows = metadata.num_rows();
        u64::try_from(rows).map_err(|_| ParquetError::General(format!("it says {rows} rows")))
    })
}

/// What was kept of people when a file was written, as a stamp; nothing where it does not say.
pub fn privacy(tail: &bytes::Bytes, size_bytes: u64) -> Result<Footer<Option<String>>, ParquetError> {
    read(tail, size_bytes, |metadata| {
        let said = metadata.key_value_metadata().into_iter().flatten().find(|said| said.key == PRIVACY_KEY);
        Ok(said.and_then(|said| said.value.clone()).filter(|stamp| !stamp.is_empty()))
    })
}

fn read<T>(
    tail: &bytes::Bytes,
    size_bytes: u64,
    ask: impl Fn(&FileMetaData) -> Result<T, ParquetError>,
) -> Result<Footer<T>, ParquetError> {
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
    match reader.try_parse_sized(tail, size_bytes) {
        Ok(()) => {}
        Err(ParquetError::NeedMoreData(needed)) if (tail.len() as u64) < size_bytes => {
            // At least twice as many, so that this comes to an end.
            return Ok(Footer::Longer((needed as u64).max(tail.len() as u64 * 2).min(size_bytes)));
        }
        Err(error) => return Err(error),
    }
    ask(reader.finish()?.file_metadata()).map(Footer::Told)
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
        assert_eq!(rows(&whole, size_bytes).unwrap(), Footer::Told(0));
        assert_eq!(privacy(&whole, size_bytes).unwrap(), Footer::Told(None));
        let mut tail_bytes = 8;
        let found = loop {
            let start = whole.len() - usize::try_from(tail_bytes).unwrap();
            match rows(&whole.slice(start..), size_bytes).unwrap() {
                Footer::Longer(needed) => {
                    assert!(needed > tail_bytes && needed <= size_bytes, "{needed} of {size_bytes}");
                    tail_bytes = needed;
                }
                Footer::Told(rows) => break rows,
            }
        };
        assert!(found == 0 && tail_bytes > 8, "the second look has it");
        assert!(rows(&bytes::Bytes::from_static(b"no Parquet at all"), 17).is_err());
    }
}
