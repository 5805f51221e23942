//! A folder of this computer as a store: each call is one task of a thread that may wait, and what
//! must outlive a power loss is synced on the same task.
//!
//! `object_store`'s own folder does each step of a call (make it, sync it, list it, look at each
//! entry) as a task of its own, and looks at every folder on the way: for a year of small hours
//! that was more work than converting them. Names, sizes and etags are exactly the library's, so
//! that a lake or a listing is the same through either.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use object_store::ObjectMeta;
use object_store::path::Path;

use super::store_error::storage;
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::CasOutcome;
use crate::model::ObjectId;
use crate::stats::count;

/// Whether what is written outlives a power loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasting {
    /// Its bytes and its name.
    Both,
    /// Its bytes; its name does once it is synced with those beside it.
    Bytes,
    /// Neither: nothing correct rests on it.
    Neither,
}

/// Bytes that most records have less than: such a file is read with one call, which ends before
/// the room does. Asking for the size first and for the end last were a tenth of the calls (by
/// `strace -c`) of a run that finds nothing to do in a year of hours.
const SMALL_FILE_BYTES: usize = 8 << 10;

/// A file's bytes; nothing where there is none.
pub(super) fn get(path: &FilePath) -> Result<Option<Bytes>> {
    let read = || {
        let mut file = File::open(path)?;
        let mut small = [0; SMALL_FILE_BYTES];
        let length = file.read(&mut small)?;
        let mut bytes = small[..length].to_vec();
        // A file gives less than there is room for only where it ends.
        if length == small.len() {
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// The bytes of a file as it was listed; `unit` is for messages.
pub(super) fn get_listed(root: &FilePath, object: &ObjectId, unit: &str) -> Result<Bytes> {
    let path = root.join(&object.key);
    let changed = |what: String| Error::InputChanged { key: object.key.clone(), unit: unit.to_owned(), what };
    let failed = |error| Error::io("read", &path, error);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Err(changed("it is gone".to_owned())),
        Err(error) => return Err(failed(error)),
    };
    let metadata = file.metadata().map_err(failed)?;
    if etag(&metadata, metadata.modified().map_err(failed)?) != object.etag {
        return Err(changed("its etag is another one".to_owned()));
    }
    // One byte of room more: the end is seen without making room.
    let mut bytes = Vec::with_capacity(usize::try_from(object.size_bytes).unwrap_or(0) + 1);
    file.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 != object.size_bytes {
        return Err(changed(format!("{} came of {} listed", count(bytes.len() as u64, "byte"), object.size_bytes)));
    }
    Ok(bytes.into())
}

/// The bytes of some files as they were listed, in their order.
pub(super) fn get_all_listed(root: &FilePath, objects: &[ObjectId], unit: &str) -> Result<Vec<Bytes>> {
    objects.iter().map(|object| get_listed(root, object, unit)).collect()
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Writes a file, in the place of any of its name.
pub(super) fn put(path: &FilePath, bytes: &[u8], lasting: Lasting) -> Result<()> {
    let temporary = write_temporary(path, bytes, lasting)?;
    if let Err(error) = fs::rename(&temporary, path) {
        let _ = fs::remove_file(&temporary);
        return Err(Error::io("write", path, error));
    }
    sync_folder(path, lasting)
}

/// Writes a file if there is none of its name.
pub(super) fn put_new(path: &FilePath, bytes: &[u8], lasting: Lasting) -> Result<CasOutcome> {
    let temporary = write_temporary(path, bytes, lasting)?;
    let linked = fs::hard_link(&temporary, path);
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => sync_folder(path, lasting).map(|()| CasOutcome::Committed),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(CasOutcome::Conflict),
        Err(error) => Err(Error::io("write", path, error)),
    }
}

/// Writes bytes beside a path, under a name that no listing shows: it ends with `#` and a number,
/// as the library's do.
fn write_temporary(path: &FilePath, bytes: &[u8], lasting: Lasting) -> Result<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // Of several processes each has numbers of its own.
    let first = u64::from(std::process::id()) << 32;
    loop {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!("#{}", first | NUMBER.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff));
        let temporary = PathBuf::from(temporary);
        let failed = |error| Error::io("write", path, error);
        let mut file = match File::create_new(&temporary) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Whoever removes empty folders may be faster; then the file is tried again.
                fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
                continue;
            }
            Err(error) => return Err(failed(error)),
        };
        let written =
            file.write_all(bytes).and_then(|()| if lasting == Lasting::Neither { Ok(()) } else { file.sync_data() });
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(failed(error));
        }
        return Ok(temporary);
    }
}

fn sync_folder(path: &FilePath, lasting: Lasting) -> Result<()> {
    match path.parent() {
        Some(folder) if lasting == Lasting::Both => {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| Error::io("sync", folder, error))
        }
        _ => Ok(()),
    }
}

/// Lets a file have another name too, which is another's already if it is there; whether there was
/// a file.
pub(super) fn link(from: &FilePath, to: &FilePath) -> Result<bool> {
    for _ in 0..2 {
        match fs::hard_link(from, to) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(true),
            Err(error) if is_absent(&error) => {
                if !from.exists() {
                    return Ok(false);
                }
                let folder = to.parent().unwrap_or(to);
                fs::create_dir_all(folder).map_err(|error| Error::io("copy to", to, error))?;
            }
            Err(error) => return Err(Error::io("copy to", to, error)),
        }
    }
    Ok(from.exists() && to.exists())
}

/// Deletes a file, and the folders that are empty without it, up to a root.
pub(super) fn delete(root: &FilePath, path: &FilePath) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(Error::io("delete", path, error)),
    }
    remove_empty_above(root, path);
    Ok(())
}

fn remove_empty_above(root: &FilePath, path: &FilePath) {
    let above = path.ancestors().skip(1).take_while(|folder| *folder != root);
    // A folder that is not empty is where it ends.
    let _ = above.map(fs::remove_dir).take_while(std::result::Result::is_ok).count();
}

/// Deletes a folder with all that is in it, and the folders that are empty without it, up to a
/// root.
pub(super) fn delete_folder(root: &FilePath, folder: &FilePath) -> Result<()> {
    match remove_folder(|| fs::remove_dir_all(folder)) {
        Err(error) if !is_absent(&error) && folder.exists() => return Err(Error::io("delete", folder, error)),
        _ => {}
    }
    if folder != root {
        remove_empty_above(root, folder);
    }
    Ok(())
}

/// Removes a folder of this computer by `remove`. Of several runs that remove the same one at the
/// same time, some may find it not empty once they have emptied it (seen once, with eight of them):
/// they look again.
pub(super) fn remove_folder(mut remove: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
    const TRIES: u32 = 10;
    for attempt in 1..TRIES {
        match remove() {
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(std::time::Duration::from_millis(5) * attempt);
            }
            done => return done,
        }
    }
    remove()
}

/// When a folder was last written to, files without a name yet included; nothing where it is not
/// there.
pub(super) fn modified_unix_seconds(folder: &FilePath) -> Option<i64> {
    let modified = fs::metadata(folder).and_then(|metadata| metadata.modified()).ok()?;
    i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// The names right below a folder, of folders and files.
pub(super) fn names(folder: &FilePath) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| Error::io("list", folder, error))?.file_name();
        names.extend(name.into_string().ok().filter(|name| !is_temporary(name)));
    }
    Ok(names)
}

/// Whether a name is that of a file that is being written.
fn is_temporary(name: &str) -> bool {
    let suffix = name.split_once('#').map(|(_, suffix)| suffix);
    suffix.is_some_and(|suffix| !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The paths of all files below a folder of a root, by their names alone: no file is looked at.
pub(super) fn paths(root: &FilePath, folder: &str) -> Result<Vec<String>> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(key) = folders.pop() {
        let folder = root.join(&key);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => continue,
            Err(error) => return Err(Error::io("list", &folder, error)),
        };
        for entry in entries {
            let failed = |error| Error::io("list", &folder, error);
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if kind.is_dir() {
                folders.push(join(&key, &name));
            } else if !is_temporary(&name) {
                found.push(join(&key, &name));
            }
        }
    }
    Ok(found)
}

/// Everything below a folder of a root.
pub(super) fn list(root: &FilePath, folder: &str) -> Result<Vec<ObjectMeta>> {
    let mut found = Vec::new();
    let start = if folder.is_empty() { root.to_owned() } else { root.join(folder) };
    // Folders on the way down, against links that lead up again.
    let mut way = Vec::new();
    walk(&start, folder, &mut way, &mut found)?;
    metas(&found)
}

/// Files that one thread looks at; fewer are not worth another.
const LOOKS_A_THREAD: usize = 4_096;

/// What a listing shows of some files. Of many, several threads look at some each: of 70,000
/// objects that is most of a run that finds nothing to do.
fn metas(found: &[(PathBuf, String)]) -> Result<Vec<ObjectMeta>> {
    let look = |found: &[(PathBuf, String)]| {
        found.iter().filter_map(|(path, key)| meta(path, key).transpose()).collect::<Result<Vec<ObjectMeta>>>()
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(found.len() / LOOKS_A_THREAD);
    if threads < 2 {
        return look(found);
    }
    std::thread::scope(|scope| {
        let share = found.len().div_ceil(threads);
        let looks: Vec<_> = found.chunks(share).map(|some| scope.spawn(move || look(some))).collect();
        let mut all = Vec::with_capacity(found.len());
        for look in looks {
            let seen = look
                .join()
                .map_err(|_| Error::Panicked { doing: "looking at files".into(), message: "no message".into() })?;
            all.extend(seen?);
        }
        Ok(all)
    })
}

fn walk(folder: &FilePath, key: &str, way: &mut Vec<PathBuf>, found: &mut Vec<(PathBuf, String)>) -> Result<()> {
    let failed = |error| Error::io("list", folder, error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // Removed since it was seen.
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let mut kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            return Err(Error::usage(
                format!("'{}' holds a name that is not UTF-8", path.display()),
                "rename it or remove it",
            ));
        };
        if kind.is_symlink() {
            // One that leads nowhere is nothing.
            let Ok(target) = fs::metadata(&path) else { continue };
            kind = target.file_type();
            let loops = kind.is_dir()
                && fs::canonicalize(&path).is_ok_and(|target| folder.starts_with(&target) || way.contains(&target));
            if loops {
                return Err(Error::usage(
                    format!("'{}' is a link to a folder that it lies in", path.display()),
                    "remove the link",
                ));
            }
            if kind.is_dir() {
                way.extend(fs::canonicalize(&path));
                walk(&path, &join(key, &name), way, found)?;
                way.pop();
                continue;
            }
        }
        if kind.is_dir() {
            walk(&path, &join(key, &name), way, found)?;
        } else if kind.is_file() && !is_temporary(&name) {
            found.push((path, join(key, &name)));
        }
    }
    Ok(())
}

fn join(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}/{name}") }
}

/// A file as a listing shows it; nothing where it is gone.
fn meta(path: &FilePath, key: &str) -> Result<Option<ObjectMeta>> {
    let location = Path::parse(key).map_err(|error| storage("list", &path.display().to_string(), error.into()))?;
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(Error::io("look at", path, error)),
    };
    let modified = metadata.modified().map_err(|error| Error::io("look at", path, error))?;
    Ok(Some(ObjectMeta {
        location,
        last_modified: modified.into(),
        size: metadata.len(),
        e_tag: Some(etag(&metadata, modified)),
        version: None,
    }))
}

/// As the library makes it, which compares it when a file is read.
fn etag(metadata: &Metadata, modified: std::time::SystemTime) -> String {
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let inode = 0;
    let micros = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    format!("{inode:x}-{micros:x}-{:x}", metadata.len())
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use object_store::ObjectStore;
    use object_store::local::LocalFileSystem;

    use super::*;

    #[tokio::test]
    async fn a_listing_is_the_librarys() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for name in ["a.gz", "b/c=1/d.gz", "b/c=1/e f+%.gz", ".x/y", "b/z#1", "b/z#1x", "\u{e9}/\u{1f600}"] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        fs::create_dir(root.join("empty")).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.join("a.gz"), root.join("link.gz")).unwrap();
            std::os::unix::fs::symlink(root.join("b"), root.join("link")).unwrap();
            std::os::unix::fs::symlink(root.join("nowhere"), root.join("dead")).unwrap();
        }
        let store = LocalFileSystem::new_with_prefix(&root).unwrap();
        for folder in ["", "b", "nothing"] {
            let prefix = (!folder.is_empty()).then(|| Path::from(folder));
            let mut theirs: Vec<ObjectMeta> = store.list(prefix.as_ref()).try_collect().await.unwrap();
            let mut ours = list(&root, folder).unwrap();
            theirs.sort_by(|a, b| a.location.cmp(&b.location));
            ours.sort_by(|a, b| a.location.cmp(&b.location));
            assert_eq!(ours, theirs, "{folder}");
        }
    }

    #[test]
    fn files_come_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let path = root.join("a/b/c.json");
        assert_eq!(get(&path).unwrap(), None);
        assert_eq!(put_new(&path, b"1", Lasting::Both).unwrap(), CasOutcome::Committed);
        assert_eq!(put_new(&path, b"2", Lasting::Neither).unwrap(), CasOutcome::Conflict);
        assert_eq!(get(&path).unwrap().unwrap(), "1");
        put(&path, b"3", Lasting::Both).unwrap();
        assert!(link(&path, &root.join("x/y")).unwrap() && link(&path, &root.join("x/y")).unwrap());
        assert!(!link(&root.join("nothing"), &root.join("x/z")).unwrap());
        assert_eq!(names(&root.join("x")).unwrap(), ["y"]);
        let mut all = paths(root, "").unwrap();
        all.sort();
        assert_eq!(all, ["a/b/c.json", "x/y"]);
        assert_eq!(paths(root, "x").unwrap(), ["x/y"]);
        assert!(paths(root, "nothing").unwrap().is_empty());
        delete(root, &path).unwrap();
        delete(root, &path).unwrap();
        assert!(!root.join("a").exists() && root.exists());
        assert_eq!(get(&root.join("x/y")).unwrap().unwrap(), "3");
        assert_eq!(list(root, "").unwrap().len(), 1, "no file that was being written is left");
    }

    #[test]
    fn small_and_large_files_are_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        for size in [0, 1, SMALL_FILE_BYTES - 1, SMALL_FILE_BYTES, SMALL_FILE_BYTES + 1, 3 * SMALL_FILE_BYTES] {
            let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
            fs::write(dir.path().join("file"), &bytes).unwrap();
            assert_eq!(get(&dir.path().join("file")).unwrap().unwrap(), bytes, "{size} bytes");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_up_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir(root.join("a")).unwrap();
        std::os::unix::fs::symlink(&root, root.join("a/up")).unwrap();
        assert!(list(&root, "").is_err());
    }
}
