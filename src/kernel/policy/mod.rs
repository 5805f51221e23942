//! Rules that are applied to every row: what a user agent is, and what is kept of people.
//!
//! | module | what it decides |
//! |-|-|
//! | [`enrich`] | browser, system, bot and category of a user agent; city of an edge location. Its rules are data files |
//! | [`privacy`] | what becomes of addresses, query strings and whatever else tells of a person |
//! | [`recipe`] | both together, with a fingerprint that tells rows made by other rules |

pub mod enrich;
pub mod privacy;
pub mod recipe;
