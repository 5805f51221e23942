//! What all machines of a lake have in common, and what the proof may take out of them.

/// Sentences of the protocol, which the proof takes out one at a time to see that each is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sentence {
    /// The catalog is pointed to another folder only after a wait of `max_call_delay`.
    CatalogWaits,
    /// The catalog is read back after a wait of `max_call_delay`, not before.
    ReadsBackLate,
    /// A rewrite is opened only when the sources of the files that go were seen gone.
    SourcesGoneFirst,
    /// Deleted are only files that the rewrite names as replaced, not whatever the record does not
    /// name.
    DeletesOnlyReplaced,
    /// A batch takes the place of exactly the batches that it was made from, all of them published.
    ReplacesExactly,
    /// No batch is committed while another is taking the place of the unit's.
    OneReplacement,
}

/// What the machines of a lake have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Setting {
    /// Whether partitions are registered in a catalog.
    pub catalog: bool,
    /// The sentence that is taken out: none, outside of the proof.
    pub without: Option<Sentence>,
}

impl Setting {
    /// The whole protocol, with or without a catalog.
    #[must_use]
    pub const fn new(catalog: bool) -> Self {
        Self { catalog, without: None }
    }

    pub(super) fn keeps(self, sentence: Sentence) -> bool {
        self.without != Some(sentence)
    }
}
