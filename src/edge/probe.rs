//! Does a store let one of many win who write an object only where there is none? A ledger in a
//! lake rests on it, and some servers, and some proxies before them, take the condition
//! (`If-None-Match: *`) and ignore it: then two write one version of a record, both are told that
//! it went well, and the rows of one are gone.
//!
//! So before a lake is made, and before the first record of a run on a server that this lake was
//! not tried on, several writers put different bytes to one new name at the same time, three times.
//! One after the other would not be enough: there are servers that look, find nothing, and write,
//! each by itself right and all of them together wrong. What came of it is noted in the lake: in
//! `lake.json` by whoever makes it, else in `_edgemill/probes/`.

use bytes::Bytes;
use futures::future::join_all;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::objects::Objects;
use super::store_error::{has_no_conditions, is_final};
use crate::error::{Certainty, Error, Result};
use crate::kernel::ledger::records::short_hash;

/// Writers at a time.
const WRITERS: usize = 16;

/// Rounds, and those that may be done again where answers were lost.
const ROUNDS: u32 = 3;
const UNSURE_ROUNDS: u32 = 3;

/// What each writes: enough for a server to be at it for a moment.
const BODY_BYTES: usize = 16 << 10;

/// What a round has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RoundVerdict {
    /// One won.
    Sound,
    /// The store cannot be trusted, and why.
    Broken(String),
    /// Too many answers were lost to tell.
    Unsure,
}

/// What one writer was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriterAnswer {
    /// That its bytes are there now.
    Done,
    /// That another's are.
    Refused,
    /// Nothing that says which.
    Unclear,
}

/// What is there after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FinalObject {
    /// No object.
    Nothing,
    /// Bytes that nobody wrote.
    Foreign,
    /// The bytes of this writer.
    Of(usize),
}

/// That a store was found sound.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ProbeNote {
    endpoint: String,
    rounds: u32,
    writers: usize,
}

/// Tests that want a lake on such a store say so.
fn is_left_out() -> bool {
    std::env::var_os("EDGEMILL_NO_PROBE").is_some()
}

/// Tries a store before a lake is made on it. The server that was found sound, to be noted; nothing
/// where the lake is a folder, where links and names are made only if absent by the file system
/// itself.
pub async fn before_a_lake(lake: &Objects) -> Result<Option<String>> {
    let Some(endpoint) = lake.endpoint().filter(|_| !is_left_out()) else { return Ok(None) };
    try_out(lake, endpoint).await?;
    Ok(Some(endpoint.to_owned()))
}

/// Tries a store before a run's first record, unless this was done for this lake at this server
/// before. `known` is the server at which the lake was made, where that one was tried.
pub async fn before_a_record(lake: &Objects, known: Option<&str>) -> Result<()> {
    let Some(endpoint) = lake.endpoint().filter(|endpoint| known != Some(endpoint) && !is_left_out()) else {
        return Ok(());
    };
    let path = Path::from(format!("_edgemill/probes/{}.json", short_hash([endpoint].into_iter())));
    let note = lake.get(&path).await?;
    let note: Option<ProbeNote> = note.and_then(|note| serde_json::from_slice(&note).ok());
    if note.is_some_and(|note| note.endpoint == endpoint) {
        return Ok(());
    }
    try_out(lake, endpoint).await?;
    let note = ProbeNote { endpoint: endpoint.to_owned(), rounds: ROUNDS, writers: WRITERS };
    // The note says the same whoever writes it.
    lake.put(&path, serde_json::to_vec(&note).unwrap_or_default().into()).await
}

async fn try_out(lake: &Objects, endpoint: &str) -> Result<()> {
    let (mut sound, mut unsure) = (0, 0);
    while sound < ROUNDS {
        match round(lake).await? {
            RoundVerdict::Sound => sound += 1,
            RoundVerdict::Broken(how) => {
                return Err(Error::usage(
                    format!(
                        "the store of '{}' ({endpoint}) does not keep a ledger: of {WRITERS} writers who put one new object at the \
                         same time, each only if there is none (If-None-Match: *), {how}; rows would be lost",
                        lake.url()
                    ),
                    lake.elsewhere(),
                ));
            }
            RoundVerdict::Unsure if unsure < UNSURE_ROUNDS => unsure += 1,
            RoundVerdict::Unsure => {
                return Err(Error::Storage {
                    action: "try out",
                    path: lake.url().to_owned(),
                    certainty: Certainty::DidNotHappen,
                    source: format!("{endpoint} left too many calls unanswered; run again").into(),
                });
            }
        }
    }
    tracing::debug!(endpoint, "of many writers one wins");
    Ok(())
}

async fn round(lake: &Objects) -> Result<RoundVerdict> {
    let path = Path::from(format!("_edgemill/probe/{}", uuid::Uuid::new_v4().simple()));
    let bodies: Vec<Bytes> = (0..WRITERS).map(body).collect();
    let answers = join_all(bodies.iter().map(|body| lake.try_new(&path, body.clone()))).await;
    let there = lake.get(&path).await;
    if let Err(error) = lake.delete(&path).await {
        tracing::debug!(%error, "the object of a probe stays");
    }
    let mut told = Vec::with_capacity(WRITERS);
    for answer in answers {
        told.push(match answer {
            Ok(()) => WriterAnswer::Done,
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                WriterAnswer::Refused
            }
            Err(error) => {
                if let Some(said) = has_no_conditions(&error) {
                    return Err(lake.without_conditions(&said));
                }
                if is_final(&error) {
                    return Err(lake.failed("write", &path, error));
                }
                WriterAnswer::Unclear
            }
        });
    }
    let there = match there? {
        None => FinalObject::Nothing,
        Some(there) => bodies.iter().position(|body| *body == there).map_or(FinalObject::Foreign, FinalObject::Of),
    };
    Ok(judge(&told, there))
}

/// The bytes of a writer.
fn body(writer: usize) -> Bytes {
    let line = format!("edgemill tries out the store; this is writer {writer}, and this object may be deleted\n");
    line.bytes().cycle().take(BODY_BYTES).collect()
}

/// What follows from what the writers were told, and from whose bytes are there.
///
/// The library asks again when an answer is lost, and is then refused by what it has itself
/// written: so nobody may be told that he won. That two are told so, or one whose bytes are not
/// there, no lost answer explains.
fn judge(told: &[WriterAnswer], there: FinalObject) -> RoundVerdict {
    let of = |what: WriterAnswer| told.iter().filter(|told| **told == what).count();
    let all = told.len();
    match (of(WriterAnswer::Done), there) {
        (2.., _) => RoundVerdict::Broken(format!("{} were told that theirs is there", of(WriterAnswer::Done))),
        (1, FinalObject::Of(writer)) if told[writer] == WriterAnswer::Done => enough(of(WriterAnswer::Refused), all),
        (1, _) => RoundVerdict::Broken("one was told that its own is there, and it is not".to_owned()),
        (_, FinalObject::Of(_)) => enough(of(WriterAnswer::Refused), all),
        (_, FinalObject::Foreign) => RoundVerdict::Broken("none wrote what is there".to_owned()),
        (_, FinalObject::Nothing) => RoundVerdict::Unsure,
    }
}

/// Half of the writers must have been refused for a round to say anything.
const fn enough(refused: usize, all: usize) -> RoundVerdict {
    if refused * 2 >= all { RoundVerdict::Sound } else { RoundVerdict::Unsure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_winner_whose_bytes_are_there_is_sound() {
        use WriterAnswer::{Done, Refused, Unclear};
        let of = |told: &[WriterAnswer], there| match judge(told, there) {
            RoundVerdict::Broken(_) => None,
            shown => Some(shown),
        };
        assert_eq!(of(&[Done, Refused, Refused, Refused], FinalObject::Of(0)), Some(RoundVerdict::Sound));
        // The winner's answer was lost, and its second try refused.
        assert_eq!(of(&[Refused, Refused, Refused, Refused], FinalObject::Of(2)), Some(RoundVerdict::Sound));
        assert_eq!(of(&[Unclear, Refused, Refused, Refused], FinalObject::Of(0)), Some(RoundVerdict::Sound));
        assert_eq!(of(&[Done, Unclear, Unclear, Unclear], FinalObject::Of(0)), Some(RoundVerdict::Unsure));
        assert_eq!(of(&[Refused; 4], FinalObject::Nothing), Some(RoundVerdict::Unsure));
        assert_eq!(of(&[Done, Done, Refused, Refused], FinalObject::Of(1)), None);
        assert_eq!(of(&[Done, Refused, Refused, Refused], FinalObject::Of(1)), None);
        assert_eq!(of(&[Done, Refused, Refused, Refused], FinalObject::Nothing), None);
        assert_eq!(of(&[Refused; 4], FinalObject::Foreign), None);
    }
}
