//! Where an answer goes, and what is tidied up when somebody stops it.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::query::Limits;
use crate::signals::{StopSignal, stop_signal};

/// A writer that may wait for its reader, such as a pager, without keeping the other tasks of its
/// thread waiting.
pub(super) struct Patient<W>(pub(super) W);

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        tokio::task::block_in_place(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        tokio::task::block_in_place(|| self.0.flush())
    }
}

/// A file that gets its name when it is whole, and never in the place of another.
pub(super) struct NewFile {
    path: PathBuf,
    part: PathBuf,
    writer: BufWriter<File>,
}

impl NewFile {
    /// Begins a file of that name.
    ///
    /// # Errors
    /// `Error::Usage` where there is such a file, or no folder for it.
    pub(super) fn create(path: &Path) -> Result<Self> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(there_is(path));
        }
        if path.to_str().is_some_and(|path| path.contains("://")) {
            return Err(Error::usage(
                format!("'{}' is no file, and the local engine writes files", path.display()),
                "name a file, or add --engine athena",
            ));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let file = File::create(&part).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::usage(format!("there is no folder for '{}'", path.display()), "make it, or name another file")
            }
            _ => Error::unwritable("write", path, error),
        })?;
        Ok(Self { path: path.to_owned(), part, writer: BufWriter::new(file) })
    }

    /// Where it is until it is whole.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    pub(super) fn writer(&mut self) -> &mut BufWriter<File> {
        &mut self.writer
    }

    /// Gives the file its name.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.writer.flush().map_err(|error| Error::io("write", &self.path, error))?;
        match fs::hard_link(&self.part, &self.path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(there_is(&self.path)),
            // Not every file system has second names.
            Err(_) => fs::rename(&self.part, &self.path).map_err(|error| Error::io("write", &self.path, error)),
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Renamed, or never whole.
        let _ = fs::remove_file(&self.part);
    }
}

fn there_is(path: &Path) -> Error {
    Error::usage(
        format!("there is a file '{}' already", path.display()),
        "name another, or remove it first: an answer never takes a file's place",
    )
}

/// Ends the process at a signal, with nothing left of what was begun: the answer's writer may be
/// waiting for a pager that reads no more, and could not be told.
pub(super) struct Watch(tokio::task::JoinHandle<()>);

impl Watch {
    /// Watches until it is dropped.
    pub(super) fn begin(limits: Option<Limits>, part: Option<PathBuf>) -> Self {
        Self(tokio::spawn(async move {
            let StopSignal { number, .. } = stop_signal().await;
            if let Some(part) = part {
                let _ = fs::remove_file(part);
            }
            for folder in limits.iter().flat_map(Limits::spill_folders) {
                // Somebody may be writing into it meanwhile.
                let _ = fs::remove_dir_all(&folder).or_else(|_| fs::remove_dir_all(&folder));
            }
            // What a shell says of a process that a signal ended.
            std::process::exit(128 + number);
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
