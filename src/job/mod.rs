//! What a conversion is to do: arguments, environment and job file, checked and made whole before
//! anything is touched.
//!
//! | file | what it holds |
//! |-|-|
//! | [`options`] | the list of options: to add one, write an entry there |
//! | [`declare`], [`kinds`] | what an entry may say, and the kinds of values |
//! | [`choices`] | values that are one word of a few |
//! | [`checked`] | what was typed, checked: a [`Job`] |
//! | [`rows`], [`cloud`], [`logs`] | the parts of it that take more than a line |
//! | `file`, `resolved`, [`said`] | a job file read; a job as `show-config` and commands say it |

pub mod checked;
pub mod choices;
pub mod cloud;
pub mod declare;
mod file;
pub mod kinds;
pub mod logs;
pub mod options;
mod resolved;
pub mod rows;
pub mod said;

pub use checked::{Job, LEAST_MEMORY_BYTES, missing};
pub use choices::Shard;
pub use options::{Options, Typed};
