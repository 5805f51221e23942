//! Distinct texts, numbered. A column of text is kept as one number per row, and each distinct text
//! once: rows are sorted, gathered and written by their numbers, so a text is hashed once when it
//! is read and never copied again per row.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// The number of no text: NULL.
pub const NULL: u32 = 0;

/// One hash for all, so that a text hashed by one task is known by its hash to another. Random per
/// process: nobody can write logs whose texts fall into one bucket. Numbers follow from the order
/// of first sight, never from the hash.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Texts by number, from 1. Not necessarily distinct: a column of unique texts is not worth
/// the search.
#[derive(Debug)]
pub struct StringPool {
    bytes: Vec<u8>,
    /// Where each text ends; number 0 is no text and ends where the first begins.
    ends: Vec<u32>,
    /// Of each text, from number 1; empty where nobody looked for equals.
    hashes: Vec<u32>,
    sound: bool,
}

impl Default for StringPool {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: vec![0], hashes: Vec::new(), sound: true }
    }
}

impl StringPool {
    /// A text by its number; nothing for [`NULL`].
    #[must_use]
    pub fn get(&self, number: u32) -> &[u8] {
        let place = number as usize;
        let start = self.ends[place.saturating_sub(1)] as usize;
        &self.bytes[start..self.ends[place] as usize]
    }

    /// How many texts there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every text is UTF-8 and its place was kept: past 4 GiB it cannot be, and callers cut
    /// long before.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.sound
    }

    /// Bytes held, the same for the same texts whatever room was left for more.
    #[must_use]
    pub const fn held_bytes(&self) -> u64 {
        (self.bytes.len() + 4 * (self.ends.len() + self.hashes.len())) as u64
    }

    /// These texts changed one by one, and the new number of each old one. Equal results have one
    /// number; no text is [`NULL`].
    pub fn changed<'t>(&'t self, change: impl Fn(&'t [u8]) -> Option<Cow<'t, [u8]>>) -> (Self, Vec<u32>) {
        let mut interner = Interner::default();
        let mut numbers = vec![NULL];
        for end in self.ends.windows(2) {
            let text = &self.bytes[end[0] as usize..end[1] as usize];
            numbers.push(change(text).map_or(NULL, |text| interner.number(&text)));
        }
        (interner.take(), numbers)
    }

    /// Makes room for texts of so many bytes, so that a growing column is not copied time and
    /// again.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
        self.ends.reserve(bytes / 32);
    }

    /// Appends a text, whether it is there already or not, and returns its number.
    #[inline]
    pub fn push(&mut self, text: &[u8]) -> u32 {
        let number = u32::try_from(self.ends.len()).unwrap_or(NULL);
        self.bytes.extend_from_slice(text);
        let end = u32::try_from(self.bytes.len());
        self.sound &= end.is_ok() && number != NULL && std::str::from_utf8(text).is_ok();
        self.ends.push(end.unwrap_or(u32::MAX));
        number
    }
}

/// A hash of 32 bits as a table of 64 takes it: it looks at the lowest bits and at the highest
/// seven.
const fn spread(hash: u32) -> u64 {
    (hash as u64) << 32 | hash as u64
}

/// The bytes alone: the hasher mixes their count in by itself, and a prefix of it would be a second
/// round for each text.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
fn hash(state: &RandomState, text: &[u8]) -> u32 {
    let mut hasher = state.build_hasher();
    hasher.write(text);
    hasher.finish() as u32
}

/// Finds the number of a text, or gives it the next one.
#[derive(Debug)]
pub struct Interner {
    texts: StringPool,
    table: HashTable<u32>,
    state: RandomState,
    last: u32,
}

impl Default for Interner {
    fn default() -> Self {
        Self { texts: StringPool::default(), table: HashTable::new(), state: HASHER.clone(), last: NULL }
    }
}

impl Interner {
    /// The number of a text.
    #[inline]
    pub fn number(&mut self, text: &[u8]) -> u32 {
        // Neighbouring requests are much alike.
        if self.last != NULL && self.texts.get(self.last) == text {
            return self.last;
        }
        self.last = self.search(text);
        self.last
    }

    fn search(&mut self, text: &[u8]) -> u32 {
        let hash = hash(&self.state, text);
        let texts = &mut self.texts;
        let same = |number: &u32| texts.hashes[*number as usize - 1] == hash && texts.get(*number) == text;
        let known = |number: &u32| spread(texts.hashes[*number as usize - 1]);
        match self.table.entry(spread(hash), same, known) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let number = texts.push(text);
                texts.hashes.push(hash);
                *entry.insert(number).get()
            }
        }
    }

    /// The texts so far; begins anew and keeps its room.
    pub fn take(&mut self) -> StringPool {
        self.table.clear();
        self.last = NULL;
        std::mem::take(&mut self.texts)
    }
}

/// The texts of several parts under common numbers.
#[derive(Debug)]
pub struct MergedPool<'t> {
    /// Each text by its common number; the first stands for NULL.
    pub values: Vec<&'t [u8]>,
    /// Per part: the common number of each of its own.
    pub numbers: Vec<Vec<u32>>,
}

impl<'t> MergedPool<'t> {
    /// Merges; equal texts get one number where each part knows the hashes of its own, and else
    /// each keeps its own.
    #[must_use]
    pub fn new(parts: &[&'t StringPool]) -> Self {
        let distinct = parts.iter().all(|texts| texts.hashes.len() == texts.len());
        let mut merged = Self { values: vec![&[]], numbers: Vec::with_capacity(parts.len()) };
        let mut table: HashTable<u32> = HashTable::new();
        let mut hashes = Vec::new();
        for texts in parts {
            let mut numbers = Vec::with_capacity(texts.len() + 1);
            numbers.push(NULL);
            for number in 1..=texts.len() {
                #[expect(clippy::cast_possible_truncation, reason = "a part numbers its texts by u32")]
                let text = texts.get(number as u32);
                let common = if distinct {
                    merged.find(text, texts.hashes[number - 1], &mut table, &mut hashes)
                } else {
                    merged.append(text)
                };
                numbers.push(common);
            }
            merged.numbers.push(numbers);
        }
        merged
    }

    fn append(&mut self, text: &'t [u8]) -> u32 {
        self.values.push(text);
        // A flush holds far fewer than 2^32 texts.
        u32::try_from(self.values.len() - 1).unwrap_or(NULL)
    }

    fn find(&mut self, text: &'t [u8], hash: u32, table: &mut HashTable<u32>, hashes: &mut Vec<u32>) -> u32 {
        let values = &self.values;
        let same = |number: &u32| hashes[*number as usize - 1] == hash && values[*number as usize] == text;
        let known = |number: &u32| spread(hashes[*number as usize - 1]);
        match table.entry(spread(hash), same, known) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let number = u32::try_from(values.len()).unwrap_or(NULL);
                entry.insert(number);
                hashes.push(hash);
                self.append(text)
            }
        }
    }

    /// The place of each text in the order of their bytes, NULL first.
    #[must_use]
    pub fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (1..u32::try_from(self.values.len()).unwrap_or(u32::MAX)).collect();
        order.sort_unstable_by_key(|number| self.values[*number as usize]);
        let mut ranks = vec![0; self.values.len()];
        for (rank, number) in (1..).zip(order) {
            ranks[number as usize] = rank;
        }
        ranks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number() {
        let mut interner = Interner::default();
        let numbers: Vec<u32> =
            ["a", "b", "b", "", "a", ""].iter().map(|text| interner.number(text.as_bytes())).collect();
        assert_eq!(numbers, [1, 2, 2, 3, 1, 3]);
        let texts = interner.take();
        assert_eq!((texts.len(), texts.get(2), texts.get(3), texts.get(NULL)), (3, &b"b"[..], &b""[..], &b""[..]));
        assert_eq!(interner.number(b"b"), 1, "it began anew");
    }

    #[test]
    fn many_texts_are_all_found_again() {
        let mut interner = Interner::default();
        let text = |n: u32| (n * 7).to_string().into_bytes();
        for n in 0..50_000 {
            assert_eq!(interner.number(&text(n)), n + 1);
        }
        assert!((0..50_000).rev().all(|n| interner.number(&text(n)) == n + 1));
    }

    #[test]
    fn parts_are_merged_and_ranked() {
        let texts = |list: &[&str]| {
            let mut interner = Interner::default();
            list.iter().for_each(|text| _ = interner.number(text.as_bytes()));
            interner.take()
        };
        let (one, two) = (texts(&["b", "a"]), texts(&["c", "a", ""]));
        let merged = MergedPool::new(&[&one, &two]);
        assert_eq!(merged.values, [&b""[..], b"b", b"a", b"c", b""]);
        assert_eq!(merged.numbers, [vec![0, 1, 2], vec![0, 3, 2, 4]]);
        assert_eq!(merged.ranks(), [0, 3, 2, 4, 1]);

        let mut unique = StringPool::default();
        unique.push(b"a");
        assert_eq!(MergedPool::new(&[&one, &unique]).values, [&b""[..], b"b", b"a", b"a"], "nobody looked for equals");
    }

    #[test]
    fn bytes_that_are_not_text_never_become_text() {
        let mut interner = Interner::default();
        interner.number(b"\xff");
        assert!(!interner.take().is_sound());
    }
}
