//! What becomes of raw objects whose rows are seen everywhere: they go, or they go to the archive.
//! Every step may be done again.

use std::path::Path as FilePath;

use object_store::path::Path;

use super::objects::Objects;
use crate::error::{Error, Result};
use crate::location::Location;
use crate::model::ObjectId;
use crate::model::access::Access;

/// Where raw objects go.
#[derive(Clone, Debug)]
pub enum Archive {
    /// Nowhere: they are deleted.
    Nowhere,
    /// Below a folder of this computer.
    Folder(Location),
    /// Below a prefix of their own bucket, by the bucket's own copies.
    Bucket {
        /// The whole bucket.
        bucket: Objects,
        /// The prefix of the logs in it, with a `/` at its end, or nothing.
        from: String,
        /// The prefix of the archive, likewise.
        to: String,
    },
}

impl Archive {
    /// The archive at a place, for logs that lie in the same bucket or on the same computer.
    pub async fn at(place: &str, logs: &str, access: &Access) -> Result<Self> {
        match (Location::planned(place)?, Location::planned(logs)?) {
            (Location::Bucket { bucket, prefix: to }, Location::Bucket { prefix: from, .. }) => {
                let root = Location::Bucket { bucket, prefix: String::new() };
                let bucket = Objects::open_as(&root, access).await?;
                Ok(Self::Bucket { bucket, from: folder(&from), to: folder(&to) })
            }
            (place, _) => Ok(Self::Folder(place)),
        }
    }

    /// Takes an object away from where it is; whether it was still there as it was listed. `name`
    /// is its name in the archive.
    ///
    /// An object that is another one by now stays: its rows are not yet made anew. It is looked at
    /// right before it goes; the store has no deletion of an object as it was seen, so one that is
    /// replaced between the look and the next call is lost. AWS never writes a log a second time
    /// under its key.
    pub async fn take(&self, source: &Objects, object: &ObjectId, name: &str) -> Result<bool> {
        if !is_there(source, object).await? {
            return Ok(false);
        }
        let path = |key: &str| Path::parse(key).map_err(|error| Error::usage(error.to_string(), "rename the object"));
        match self {
            Self::Nowhere => {}
            Self::Folder(place) => return rename(source, &object.key, place, name).map(|()| true),
            Self::Bucket { bucket, from, to } => {
                let (from, to) = (path(&format!("{from}{}", object.key))?, path(&format!("{to}{name}"))?);
                if !bucket.copy(&from, &to).await? || !is_there(source, object).await? {
                    return Ok(false);
                }
            }
        }
        source.delete(&path(&object.key)?).await.map(|()| true)
    }
}

/// Whether an object is still there as it was listed.
async fn is_there(source: &Objects, object: &ObjectId) -> Result<bool> {
    Ok(source.object(&object.key).await?.is_some_and(|there| there.etag == object.etag))
}

/// A prefix as keys begin with it.
fn folder(prefix: &str) -> String {
    if prefix.is_empty() { String::new() } else { format!("{prefix}/") }
}

fn rename(source: &Objects, key: &str, place: &Location, name: &str) -> Result<()> {
    let (Some(from), Location::Folder(to)) = (source.folder(), place) else {
        return Err(Error::usage(
            "the archive and the logs are not on the same machine",
            "give a folder beside the logs",
        ));
    };
    let (from, to) = (from.join(key), to.join(name));
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|error| Error::io("create the folder", parent, error))?;
    }
    // Two sources may share an archive, and hold one name each.
    if to.exists() {
        return Err(Error::usage(
            format!("the archive holds another '{}' already", to.display()),
            "give this source an archive of its own",
        ));
    }
    move_file(&from, &to).map_err(|error| Error::io("move to", &to, error))
}

/// Moves a file; to another file system by a copy that is whole before the file goes.
fn move_file(from: &FilePath, to: &FilePath) -> std::io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            let temporary = to.with_extension("edgemill-part");
            std::fs::copy(from, &temporary)?;
            std::fs::File::open(&temporary)?.sync_all()?;
            std::fs::rename(&temporary, to)?;
            std::fs::remove_file(from)
        }
        done => done,
    }
}
