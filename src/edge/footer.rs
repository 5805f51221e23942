//! The footer of a Parquet file: is it whole, and how many rows does it hold?

use object_store::path::Path;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};

use super::objects::Objects;
use crate::error::Result;
use crate::kernel::records::FileEntry;
use crate::model::ObjectId;

/// Bytes from a file's end that hold most footers whole.
const TAIL_BYTES: u64 = 64 << 10;

/// Whether a file is what a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Good,
    /// It is not there.
    Missing,
    /// It is something else.
    Differs(String),
}

/// Looks at one file: one HEAD, and one or two reads of its end; or, if it is to be looked at whole, all of it.
pub async fn look(lake: &Objects, path: &str, file: &FileEntry, whole: bool) -> Result<State> {
    let location = Path::from(path);
    if whole {
        return Ok(match lake.get(&location).await? {
            None => State::Missing,
            Some(bytes) if file.is(&bytes) => State::Good,
            Some(_) => State::Differs("its bytes are not those that were written".to_owned()),
        });
    }
    let Some(size_bytes) = lake.size(&location).await? else { return Ok(State::Missing) };
    if size_bytes != file.size_bytes {
        return Ok(State::Differs(format!("it has {size_bytes} bytes of {}", file.size_bytes)));
    }
    let object = ObjectId { key: path.to_owned(), etag: String::new(), size_bytes };
    let mut tail_bytes = TAIL_BYTES.min(size_bytes);
    loop {
        let tail = lake.get_range(&object, size_bytes - tail_bytes..size_bytes).await?;
        let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
        match reader.try_parse_sized(&tail, size_bytes) {
            Ok(()) => break Ok(rows(reader, file)),
            Err(parquet::errors::ParquetError::NeedMoreData(needed)) if tail_bytes < size_bytes => {
                tail_bytes = (needed as u64).max(tail_bytes * 2).min(size_bytes);
            }
            Err(error) => break Ok(State::Differs(error.to_string())),
        }
    }
}

fn rows(mut reader: ParquetMetaDataReader, file: &FileEntry) -> State {
    let rows = match reader.finish() {
        Ok(footer) => footer.file_metadata().num_rows(),
        Err(error) => return State::Differs(error.to_string()),
    };
    if u64::try_from(rows).is_ok_and(|rows| rows == file.rows) {
        State::Good
    } else {
        State::Differs(format!("its footer says {rows} rows of {}", file.rows))
    }
}
