//! Where logs and lakes lie: what a user typed, made canonical.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A folder on this machine, by its canonical path: the same folder under another spelling is the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    path: PathBuf,
}

impl Location {
    /// A place that is there already.
    pub fn existing(text: &str) -> Result<Self> {
        let path = local_path(text)?;
        match path.canonicalize() {
            Ok(path) if path.is_dir() => Ok(Self { path }),
            Ok(_) => Err(Error::usage(format!("'{text}' is no folder"), "give the folder that holds the objects")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::usage(format!("there is no folder '{text}'"), "check the spelling, or create it"))
            }
            Err(error) => Err(Error::io("open", &path, error)),
        }
    }

    /// A place that may be made: its folder is created where it is missing.
    pub fn created(text: &str) -> Result<Self> {
        let path = local_path(text)?;
        match std::fs::create_dir_all(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(Error::usage(format!("'{text}' is no folder"), "give a folder for the lake"))
            }
            Err(error) => Err(Error::io("create the folder", &path, error)),
            Ok(()) => Self::existing(text),
        }
    }

    /// The canonical path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The canonical URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        let url = url::Url::from_file_path(&self.path).map_or_else(|()| String::new(), String::from);
        url.trim_end_matches('/').to_owned()
    }

    /// Whether one place lies in the other, or they are the same.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.path.starts_with(&other.path) || other.path.starts_with(&self.path)
    }
}

/// Refuses a source and a lake of which one lies in the other, before either is touched.
pub fn refuse_overlap(from: &str, to: &str) -> Result<()> {
    let source = Location::existing(from)?;
    let lake = absolute(&local_path(to)?)?;
    if source.overlaps(&Location { path: lake }) {
        return Err(Error::usage(
            format!("the logs '{from}' and the lake '{to}' overlap"),
            "give a lake outside the folder of the logs",
        ));
    }
    Ok(())
}

/// The canonical path of a folder that need not be there yet: that of its nearest parent that is.
fn absolute(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(|error| Error::io("resolve", path, error))?;
    for parent in path.ancestors() {
        if let Ok(canonical) = parent.canonicalize() {
            let rest = path.strip_prefix(parent).unwrap_or(Path::new(""));
            return Ok(if rest.as_os_str().is_empty() { canonical } else { canonical.join(rest) });
        }
    }
    Ok(path)
}

fn local_path(text: &str) -> Result<PathBuf> {
    match url::Url::parse(text) {
        Ok(url) if url.scheme() == "file" => url
            .to_file_path()
            .map_err(|()| Error::usage(format!("'{text}' names no local path"), "write it as file:///path")),
        // A single letter is a drive, not a scheme.
        Ok(url) if url.scheme().len() > 1 && text.contains("://") => Err(Error::usage(
            format!("'{text}' cannot be read: this version knows local folders only"),
            "give a path or a file:// URL (for S3, copy the logs with `aws s3 sync` first)",
        )),
        _ if text.is_empty() => Err(Error::usage("an empty path was given", "name a folder")),
        _ => Ok(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_under_any_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a b");
        std::fs::create_dir(&inner).unwrap();
        let plain = Location::existing(inner.to_str().unwrap()).unwrap();
        let dotted = Location::existing(&format!("{}/../a b/.", inner.display())).unwrap();
        let url = Location::existing(&plain.url()).unwrap();
        assert_eq!((&plain, &plain), (&dotted, &url));
        assert!(plain.url().ends_with("/a%20b"), "{}", plain.url());
    }

    #[test]
    fn overlaps_are_seen_before_the_lake_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        std::fs::create_dir(&logs).unwrap();
        let text = |path: &Path| path.display().to_string();
        for lake in [logs.clone(), logs.join("new/lake"), folder.path().to_path_buf()] {
            assert!(refuse_overlap(&text(&logs), &text(&lake)).is_err(), "{}", lake.display());
        }
        refuse_overlap(&text(&logs), &text(&folder.path().join("logs2"))).unwrap();
        assert!(!folder.path().join("logs2").exists());
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        let message = Location::existing("s3://bucket/prefix").unwrap_err().to_string();
        assert!(message.contains("s3://bucket/prefix") && message.contains("local folders only"), "{message}");
        assert!(Location::existing("/no/such/folder").unwrap_err().to_string().contains("/no/such/folder"));
    }
}
