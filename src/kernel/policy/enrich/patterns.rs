//! Many patterns against one text, in one pass.
//!
//! A pattern is a text that counts as a word: no letter or digit right before it, no letter right
//! after it, where it begins or ends with one itself. `*` at an end lifts that; `*` within stands
//! for anything; `^` in front wants the beginning, `$` behind the end. Case never matters. There
//! are no regular expressions: whatever a user agent holds, the time is at most proportional to its
//! length, times the few patterns with a `*` within whose longest piece was found.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Patterns, each with what it means.
#[derive(Debug)]
pub(super) struct Patterns<T> {
    automaton: AhoCorasick,
    entries: Vec<Entry<T>>,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four ends that may each be open or not")]
struct Entry<T> {
    meaning: T,
    /// No letter or digit may stand right before it.
    left: bool,
    /// No letter may stand right after it.
    right: bool,
    at_start: bool,
    at_end: bool,
    /// Of a pattern with a `*` within: every piece, in order and in lower case; the automaton finds
    /// the longest.
    pieces: Vec<String>,
}

/// A place where a pattern was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit<T> {
    /// Where it begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// What it means.
    pub(super) meaning: T,
}

impl<T: Copy> Patterns<T> {
    /// Compiles patterns; says which one is none.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = (&'p str, T)>) -> Result<Self, String> {
        let (mut texts, mut entries) = (Vec::new(), Vec::new());
        for (pattern, meaning) in patterns {
            let (text, entry) = entry(pattern, meaning)?;
            texts.push(text);
            entries.push(entry);
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // Small enough for a core's cache, where the faster kind is not, and built in a
            // fraction of the time.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(texts)
            .map_err(|error| format!("the patterns are too many: {error}"))?;
        Ok(Self { automaton, entries })
    }

    /// Every place where a pattern is found.
    pub(super) fn find(&self, text: &str) -> Vec<Hit<T>> {
        let bytes = text.as_bytes();
        let (mut hits, mut lower, mut asked) = (Vec::new(), None, Vec::new());
        for found in self.automaton.find_overlapping_iter(text) {
            let number = found.pattern().as_usize();
            let (start, end, entry) = (found.start(), found.end(), &self.entries[number]);
            if !entry.pieces.is_empty() {
                // Once for a text, wherever its longest piece stands.
                if !asked.contains(&number) {
                    asked.push(number);
                    let lower = lower.get_or_insert_with(|| text.to_ascii_lowercase());
                    hits.extend(in_order(lower, entry).map(|(start, end)| Hit { start, end, meaning: entry.meaning }));
                }
                continue;
            }
            let bounded = (!entry.left || !bytes[..start].last().is_some_and(|byte| is_word(*byte)))
                && (!entry.right || !bytes.get(end).is_some_and(|byte| is_letter(*byte)))
                && (!entry.at_start || start == 0)
                && (!entry.at_end || end == bytes.len());
            if bounded {
                hits.push(Hit { start, end, meaning: entry.meaning });
            }
        }
        hits
    }
}

fn entry<T>(pattern: &str, meaning: T) -> Result<(String, Entry<T>), String> {
    let (at_start, rest) = pattern.strip_prefix('^').map_or((false, pattern), |rest| (true, rest));
    let (at_end, rest) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
    let (open_left, rest) = rest.strip_prefix('*').map_or((false, rest), |rest| (true, rest));
    let (open_right, rest) = rest.strip_suffix('*').map_or((false, rest), |rest| (true, rest));
    let pieces: Vec<String> = rest.split('*').map(str::to_ascii_lowercase).collect();
    let longest = pieces.iter().max_by_key(|piece| piece.len()).cloned().unwrap_or_default();
    if pieces.iter().any(String::is_empty) || longest.len() < 2 {
        return Err(format!("'{pattern}' is no pattern: each of its pieces needs characters, and one at least two"));
    }
    let (first, last) = (rest.as_bytes()[0], rest.as_bytes()[rest.len() - 1]);
    let entry = Entry {
        meaning,
        left: !open_left && !at_start && is_word(first),
        right: !open_right && is_word(last),
        at_start,
        at_end,
        pieces: if pieces.len() > 1 { pieces } else { Vec::new() },
    };
    Ok((longest, entry))
}

/// Where the pieces of a pattern stand one after another, from the first's beginning to the last's
/// end.
fn in_order<T>(lower: &str, entry: &Entry<T>) -> Option<(usize, usize)> {
    let (first, rest) = entry.pieces.split_first()?;
    let (last, middle) = rest.split_last()?;
    let bytes = lower.as_bytes();
    let begins = |start: &usize| {
        (!entry.at_start || *start == 0) && (!entry.left || !bytes[..*start].last().is_some_and(|byte| is_word(*byte)))
    };
    let start = lower.match_indices(first.as_str()).map(|(start, _)| start).find(begins)?;
    let mut end = start + first.len();
    for piece in middle {
        end += lower[end..].find(piece.as_str())? + piece.len();
    }
    let ends = |end: &usize| {
        (!entry.at_end || *end == lower.len())
            && (!entry.right || !bytes.get(*end).is_some_and(|byte| is_letter(*byte)))
    };
    let found = lower[end..].match_indices(last.as_str()).map(|(at, piece)| end + at + piece.len()).find(ends)?;
    Some((start, found))
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

const fn is_word(byte: u8) -> bool {
    is_letter(byte) || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> bool {
        let patterns = Patterns::new(std::iter::once((pattern, ()))).unwrap();
        !patterns.find(text).is_empty()
    }

    #[test]
    fn a_pattern_is_a_word_unless_it_says_otherwise() {
        for (pattern, yes, no) in [
            ("GPTBot", "x (compatible; gptbot/1.1)", "MyGPTBot/1"),
            ("GPTBot", "GPTBot2", "GPTBots"),
            ("*bot", "FooBot/1", "FooBottle"),
            ("curl*", "curlish", "xcurl"),
            ("^Java/", "Java/17", "x Java/17"),
            ("node$", "a node", "node/1"),
            ("+http", "(+http://x)", "http://x"),
            ("Varnish*probe", "Varnish health probe", "probe of Varnish"),
            ("^a1*z9$", "a1 and z9", "a1 and z9."),
            ("foo*bar$", "foo bar bar", "foo bar bars"),
            ("Foo*Bar", "a Foo x Bar/1", "XFoo y Bar"),
            ("Foo*Bar", "XFoo Foo Bar", "Foo y BarZ"),
            ("Bot", "a \u{e9} Bot", "\u{e9}Bot"),
        ] {
            assert!(found(pattern, yes), "{pattern} in {yes}");
            assert!(!found(pattern, no), "{pattern} in {no}");
        }
        for wrong in ["", "*", "^", "a", "ab**cd", "a*b"] {
            assert!(Patterns::new(std::iter::once((wrong, ()))).is_err(), "{wrong}");
        }
    }
}
