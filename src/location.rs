//! Where logs and lakes lie: what a user typed, made canonical.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A folder on this computer or a prefix of a bucket, canonical: the same place under another
/// spelling is the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder, by its canonical path.
    Folder(PathBuf),
    /// What lies below a prefix of a bucket in S3.
    Bucket {
        /// Its name.
        bucket: String,
        /// Without slashes at its ends; empty for the whole bucket.
        prefix: String,
    },
}

impl Location {
    /// A place that is there already. Whether a bucket is there is known when it is first used.
    pub fn existing(text: &str) -> Result<Self> {
        if let Some(bucket) = bucket(text)? {
            return Ok(bucket);
        }
        let path = local_path(text)?;
        match path.canonicalize() {
            Ok(path) if path.is_dir() => Ok(Self::Folder(path)),
            Ok(_) => Err(Error::usage(format!("'{text}' is no folder"), "give the folder that holds the objects")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::usage(format!("there is no folder '{text}'"), "check the spelling, or create it"))
            }
            Err(error) => Err(Error::io("open", &path, error)),
        }
    }

    /// A place that may be made, as it is now; nothing where its folder is to be made. Nothing is.
    pub fn to_be_made(text: &str) -> Result<Option<Self>> {
        if let Some(bucket) = bucket(text)? {
            return Ok(Some(bucket));
        }
        let path = local_path(text)?;
        let absolute = std::path::absolute(&path).map_err(|error| Error::io("resolve", &path, error))?;
        match absolute.ancestors().find(|parent| parent.symlink_metadata().is_ok()) {
            Some(parent) if !parent.is_dir() => Err(no_folder(&parent.display().to_string())),
            Some(parent) if parent == absolute => Self::existing(text).map(Some),
            _ => Ok(None),
        }
    }

    /// A place that may be made: its folder is created where it is missing. A bucket is not:
    /// somebody pays for it.
    pub fn created(text: &str) -> Result<Self> {
        if let Some(bucket) = bucket(text)? {
            return Ok(bucket);
        }
        let path = local_path(text)?;
        match std::fs::create_dir_all(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(no_folder(text)),
            Err(error) => Err(Error::unwritable("create the folder", &path, error)),
            Ok(()) => Self::existing(text),
        }
    }

    /// A place as it is or would be; nothing is made.
    pub fn planned(text: &str) -> Result<Self> {
        match bucket(text)? {
            Some(bucket) => Ok(bucket),
            None => Ok(Self::Folder(absolute(&local_path(text)?)?)),
        }
    }

    /// The bucket, where it is in one.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Folder(_) => None,
            Self::Bucket { bucket, .. } => Some(bucket),
        }
    }

    /// Whether another place is this one or lies in it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Folder(one), Self::Folder(two)) => two.starts_with(one),
            (Self::Bucket { bucket: one, prefix: first }, Self::Bucket { bucket: two, prefix: second }) => {
                one == two && Path::new(second).starts_with(first)
            }
            _ => false,
        }
    }

    /// The canonical URL, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Folder(path) => {
                let url = url::Url::from_file_path(path).map_or_else(|()| String::new(), String::from);
                url.trim_end_matches('/').to_owned()
            }
            Self::Bucket { bucket, prefix } => format!("s3://{bucket}/{prefix}").trim_end_matches('/').to_owned(),
        }
    }

    /// Whether one place lies in the other, or they are the same.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.holds(other) || other.holds(self)
    }
}

fn no_folder(text: &str) -> Error {
    Error::usage(format!("'{text}' is no folder"), "give a folder for the lake")
}

/// Refuses a source and a lake of which one lies in the other, before either is touched.
pub fn refuse_overlap(from: &str, to: &str) -> Result<()> {
    let source = Location::existing(from)?;
    let lake = Location::planned(to)?;
    if source.overlaps(&lake) {
        return Err(Error::usage(
            format!("the logs '{from}' and the lake '{to}' overlap"),
            "give a lake outside the folder of the logs",
        ));
    }
    Ok(())
}

/// What an `s3://` URL names.
fn bucket(text: &str) -> Result<Option<Location>> {
    let Some(rest) = text.strip_prefix("s3://").or_else(|| text.strip_prefix("s3a://")) else { return Ok(None) };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if bucket.len() < 3 || !bucket.bytes().all(named) {
        return Err(Error::usage(format!("'{text}' names no bucket"), "write it as s3://BUCKET/PREFIX"));
    }
    let prefix = object_store::path::Path::parse(prefix.trim_matches('/'));
    let wrong = |error| Error::usage(format!("'{text}' names no prefix: {error}"), "write it as s3://BUCKET/PREFIX");
    Ok(Some(Location::Bucket { bucket: bucket.to_owned(), prefix: prefix.map_err(wrong)?.into() }))
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
            format!("'{text}' cannot be read: only folders and buckets of S3 are known"),
            "give a path, a file:// URL or s3://BUCKET/PREFIX",
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
    fn a_bucket_and_its_prefix_have_one_spelling() {
        let places = ["s3://logs-bucket/a/b", "s3://logs-bucket/a/b/", "s3a://logs-bucket//a/b//"];
        for text in places {
            assert_eq!(Location::existing(text).unwrap().url(), "s3://logs-bucket/a/b", "{text}");
        }
        for text in ["s3://logs-bucket", "s3://logs-bucket/"] {
            assert_eq!(Location::created(text).unwrap().url(), "s3://logs-bucket", "{text}");
        }
        for (from, to, overlap) in [
            ("s3://logs/a", "s3://logs/a/b", true),
            ("s3://logs", "s3://logs/lake", true),
            ("s3://logs/a", "s3://logs/ab", false),
            ("s3://logs/a", "s3://lake/a", false),
        ] {
            assert_eq!(refuse_overlap(from, to).is_err(), overlap, "{from} {to}");
        }
        for text in ["s3://", "s3:///a", "s3://A b/c", "s3://logs/a//b"] {
            assert!(Location::existing(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        let message = Location::existing("gs://bucket/prefix").unwrap_err().to_string();
        assert!(message.contains("gs://bucket/prefix") && message.contains("s3://BUCKET/PREFIX"), "{message}");
        assert!(Location::existing("/no/such/folder").unwrap_err().to_string().contains("/no/such/folder"));
    }
}
