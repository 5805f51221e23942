//! Text by number, as it comes to the encoder.

/// The texts of some rows.
#[derive(Clone, Copy, Debug)]
pub struct CodedText<'a> {
    /// Per row the number of its text, or [`NULL`](crate::kernel::columns::interner::NULL).
    pub numbers: &'a [u32],
    /// The texts by number; the first stands for NULL.
    pub values: &'a [&'a [u8]],
    /// Whether a text may stand in several rows. If not, no dictionary is tried.
    pub repeats: bool,
}
