//! What a template of user agents is, and how those behave who send it.

/// How a client behaves, which its user agent gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// A person's browser or application.
    Person,
    /// Reads pages far down the ranking and the robots file.
    Crawler,
    /// Asks for the front page or the health check, over and over.
    Monitor,
    /// Polls the feed.
    FeedReader,
    /// A script or library that fetches what somebody told it to.
    Tool,
    /// Looks for holes.
    Scanner,
}

/// User agents that differ only in their versions and devices.
pub(super) struct Family {
    /// Share of the traffic, relative to the other families of the same list.
    pub(super) weight: f64,
    /// What they do.
    pub(super) manner: Manner,
    /// The text, with `{a}`, `{b}` and `{c}` for what follows.
    pub(super) template: &'static str,
    /// Fill `{a}`, the commonest first.
    pub(super) a: &'static [&'static str],
    /// Fill `{b}`, the commonest first.
    pub(super) b: &'static [&'static str],
    /// Fill `{c}`, the commonest first.
    pub(super) c: &'static [&'static str],
}
