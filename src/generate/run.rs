//! Writes the objects of a plan, on several threads.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use libdeflater::{CompressionLvl, Compressor};

use super::makers;
use super::plan;
use super::plan::Task;
use super::sites::World;
use super::spec::Delivery;
use super::spec::Spec;
use crate::error::{Error, Result};

/// The most distributions: identifiers count to 36^3, and each has its own pool of paths in memory.
const MOST_DISTRIBUTIONS: u32 = 1_000;

/// The fastest level: half of each row is chance, so higher ones cost time and save little.
const GZIP_LEVEL: i32 = 1;

/// What was generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Generated {
    /// Objects written.
    pub objects: u64,
    /// Data rows in them.
    pub rows: u64,
    /// Size of the text, headers included.
    pub raw_bytes: u64,
    /// Size of the files.
    pub gzip_bytes: u64,
}

impl Generated {
    const NOTHING: Self = Self { objects: 0, rows: 0, raw_bytes: 0, gzip_bytes: 0 };

    const fn plus(self, other: Self) -> Self {
        Self {
            objects: self.objects + other.objects,
            rows: self.rows + other.rows,
            raw_bytes: self.raw_bytes + other.raw_bytes,
            gzip_bytes: self.gzip_bytes + other.gzip_bytes,
        }
    }
}

/// Writes the logs. `progress` is told the rows written since it was last called, from any thread.
///
/// # Errors
/// Where the specification makes no sense, the folder holds anything, or a file cannot be written.
/// Objects written before a failure stay, each of them whole.
pub fn run(spec: &Spec, progress: &(dyn Fn(u64) + Sync)) -> Result<Generated> {
    check(spec)?;
    prepare(&spec.out)?;
    let world = World::new(spec.seed, spec.rows, spec.distributions);
    let tasks = plan::tasks(spec);
    let next = AtomicUsize::new(0);
    let threads = spec.threads.clamp(1, tasks.len().max(1));
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| work(spec, &world, &tasks, &next, progress))).collect();
        // Every worker is waited for before any failure is returned: none may write on behind the
        // caller's back.
        let results: Vec<Result<Generated>> =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| Err(panicked(&*panic)))).collect();
        results.into_iter().try_fold(Generated::NOTHING, |sum, result| Ok(sum.plus(result?)))
    })
}

fn check(spec: &Spec) -> Result<()> {
    if spec.rows == 0 {
        return Err(Error::usage("0 rows make no log", "ask for at least one row"));
    }
    if spec.distributions == 0 || spec.distributions > MOST_DISTRIBUTIONS {
        let what = format!("{} distributions are out of range", spec.distributions);
        return Err(Error::usage(what, format!("ask for 1 to {MOST_DISTRIBUTIONS}")));
    }
    if spec.hours.hours() == 0 {
        return Err(Error::usage(format!("'{}' holds no hour", spec.hours), "let its end come after its start"));
    }
    Ok(())
}

/// Makes the folder. One that holds anything is refused: logs of two seeds in one folder would be
/// neither's.
fn prepare(out: &Path) -> Result<()> {
    fs::create_dir_all(out).map_err(|error| Error::unwritable("create the folder", out, error))?;
    let mut entries = fs::read_dir(out).map_err(|error| Error::io("list", out, error))?;
    match entries.next() {
        None => Ok(()),
        Some(entry) => {
            let name = entry.map_err(|error| Error::io("list", out, error))?.file_name();
            let what = format!("folder '{}' is not empty (it holds '{}')", out.display(), name.display());
            Err(Error::usage(what, "name a new folder, or empty this one first"))
        }
    }
}

/// Writes objects until none is left.
fn work(
    spec: &Spec,
    world: &World,
    tasks: &[Task],
    next: &AtomicUsize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Generated> {
    let maker = makers::maker(spec.table)?;
    let level = CompressionLvl::new(GZIP_LEVEL).unwrap_or_default();
    let mut compressor = Compressor::new(level);
    let (mut text, mut packed) = (Vec::new(), Vec::new());
    let mut report = Generated::NOTHING;
    while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
        let written = (maker.write)(world, task, spec.delivery, &mut text).and_then(|key| {
            let path = spec.out.join(key);
            let stored = match spec.delivery {
                Delivery::Parquet => &text,
                Delivery::Classic if maker.packs_in_two => pack_in_two(&mut compressor, &text, &mut packed, &path)?,
                _ => pack(&mut compressor, &text, &mut packed, &path)?,
            };
            save(&path, stored)
        });
        match written {
            Ok(gzip_bytes) => {
                report =
                    report.plus(Generated { objects: 1, rows: task.rows, raw_bytes: text.len() as u64, gzip_bytes });
                progress(task.rows);
            }
            Err(error) => {
                // The others stop as well: what made this write fail will hardly spare theirs.
                next.store(tasks.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
    }
    Ok(report)
}

/// Compresses a text as two gzip members, as load balancers do: a reader of the first alone loses
/// half of the rows.
fn pack_in_two<'p>(compressor: &mut Compressor, text: &[u8], packed: &'p mut Vec<u8>, path: &Path) -> Result<&'p [u8]> {
    let half = memchr::memchr(b'\n', &text[text.len() / 2..]).map_or(text.len(), |end| text.len() / 2 + end + 1);
    let first = pack(compressor, &text[..half], packed, path)?.to_vec();
    let second = pack(compressor, &text[half..], packed, path)?.to_vec();
    packed.clear();
    packed.extend(first);
    packed.extend(second);
    Ok(packed)
}

/// Compresses a text into `packed` and returns the part of it that is the result.
fn pack<'p>(compressor: &mut Compressor, text: &[u8], packed: &'p mut Vec<u8>, path: &Path) -> Result<&'p [u8]> {
    let bound = compressor.gzip_compress_bound(text.len());
    if packed.len() < bound {
        packed.resize(bound, 0);
    }
    let len = compressor
        .gzip_compress(text, packed)
        .map_err(|error| Error::encode(path.display().to_string(), error.to_string()))?;
    Ok(&packed[..len])
}

/// Writes a file under a hidden name first, so that no half file ever bears an object's name.
/// Returns its size.
fn save(path: &Path, bytes: &[u8]) -> Result<u64> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, error))?;
    }
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(path.file_name().unwrap_or_default());
    hidden.push(".tmp");
    let hidden = path.with_file_name(hidden);
    fs::write(&hidden, bytes).map_err(|error| Error::io("write", &hidden, error))?;
    fs::rename(&hidden, path).map_err(|error| Error::io("rename", &hidden, error))?;
    Ok(bytes.len() as u64)
}

fn panicked(payload: &(dyn std::any::Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied();
    let message = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Error::Panicked { doing: "generating logs".to_owned(), message: message.to_owned() }
}
