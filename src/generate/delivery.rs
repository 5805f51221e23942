//! The same rows in the other ways in which AWS delivers them: W3C, plain, JSON lines, Parquet,
//! each under keys of its own.
//!
//! Source of the layouts: the CloudFront Developer Guide, "Standard logging (v2)". Load balancers'
//! vended logs come through the same delivery service.

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::plan::Task;
use super::spec::Delivery;
use crate::error::{Error, Result};

/// The account in the names of objects; nobody's.
pub(super) const ACCOUNT: &str = "123456789012";

/// Rows on their way into a vended layout.
pub(super) struct Vended {
    delivery: Delivery,
    names: Vec<String>,
    out: Vec<u8>,
    columns: Vec<StringBuilder>,
}

impl Vended {
    pub(super) fn new(delivery: Delivery, names: Vec<String>) -> Self {
        let mut vended = Self { delivery, out: Vec::new(), columns: Vec::new(), names };
        match delivery {
            Delivery::W3c => vended.out.extend_from_slice(format!("#Fields: {}\n", vended.names.join(" ")).as_bytes()),
            Delivery::Parquet => vended.columns.resize_with(vended.names.len(), StringBuilder::new),
            Delivery::Classic | Delivery::Plain | Delivery::Json => {}
        }
        vended
    }

    /// Adds a row; values that it lacks are `-`.
    pub(super) fn push<'v>(&mut self, values: impl Iterator<Item = &'v [u8]>) {
        let values = values.chain(std::iter::repeat(&b"-"[..])).take(self.names.len());
        match self.delivery {
            Delivery::Json => {
                for (place, (name, value)) in self.names.iter().zip(values).enumerate() {
                    self.out.push(if place == 0 { b'{' } else { b',' });
                    // Writing to memory cannot fail.
                    let _ = serde_json::to_writer(&mut self.out, name);
                    self.out.push(b':');
                    let _ = serde_json::to_writer(&mut self.out, &String::from_utf8_lossy(value));
                }
                let _ = self.out.write_all(b"}\n");
            }
            Delivery::Parquet => {
                for (column, value) in self.columns.iter_mut().zip(values) {
                    column.append_value(String::from_utf8_lossy(value));
                }
            }
            Delivery::Classic | Delivery::W3c | Delivery::Plain => {
                for (place, value) in values.enumerate() {
                    if place > 0 {
                        self.out.push(b'\t');
                    }
                    self.out.extend_from_slice(value);
                }
                self.out.push(b'\n');
            }
        }
    }

    /// The object's bytes, not yet compressed.
    pub(super) fn finish(mut self) -> Result<Vec<u8>> {
        if self.delivery != Delivery::Parquet {
            return Ok(self.out);
        }
        let failed = |error: &dyn std::fmt::Display| Error::encode("made-up Parquet logs", error.to_string());
        // The columns of CloudFront's Parquet: names with underscores, and capitals as the fields
        // have them.
        let named = self.names.iter().map(|name| {
            let name: String =
                name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
            name.trim_end_matches('_').to_owned()
        });
        let arrays = self.columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef);
        let batch = RecordBatch::try_from_iter(named.zip(arrays)).map_err(|error| failed(&error))?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer =
            ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).map_err(|error| failed(&error))?;
        writer.write(&batch).map_err(|error| failed(&error))?;
        writer.into_inner().map_err(|error| failed(&error))
    }
}

/// Where a vended object of a distribution or load balancer lies, below the folder of its service.
pub(super) fn vended_key(service: &str, delivery: Delivery, task: &Task, id: &str) -> String {
    let [year, month, day, hour] = task.hour.folders();
    let flat = task.file_name(id);
    match delivery {
        Delivery::W3c => format!(
            "AWSLogs/aws-account-id={ACCOUNT}/{service}/DistributionId={id}/year={year}/month={month}/day={day}/hour={hour}/{}",
            unnamed(&flat)
        ),
        Delivery::Parquet => {
            let name = unnamed(&flat).replace(".gz", ".parquet");
            format!("AWSLogs/{ACCOUNT}/{service}/{id}/{year}/{month}/{day}/{hour}/{name}")
        }
        Delivery::Classic | Delivery::Plain | Delivery::Json => {
            format!("AWSLogs/{ACCOUNT}/{service}/{id}/{year}/{month}/{day}/{hour}/{}", unnamed(&flat))
        }
    }
}

/// A file's name without distribution and hour, so that the folders alone tell them.
fn unnamed(flat: &str) -> String {
    flat.splitn(3, '.').nth(2).unwrap_or(flat).to_owned()
}
