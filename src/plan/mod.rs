//! `plan`: what a conversion would do, in objects, bytes, calls, minutes and money, without doing
//! any of it.
//!
//! | file | what it does |
//! |-|-|
//! | `forecast` | looks at the logs and the ledger, as `convert` does |
//! | `reckon` | bytes, calls, minutes and money that follow |
//! | `figures` | what is told |

mod figures;
mod forecast;
mod reckon;

pub use figures::{Container, Forecast};
pub use forecast::forecast;
