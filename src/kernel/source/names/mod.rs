//! What an object's key says: which log it is, for which distribution and hour.
//!
//! The names that a source gives its objects are told in its file of [`crate::kernel::schema`]
//! (`read_name`).
//!
//! | file | what it knows |
//! |-|-|
//! | `key` | a whole key: by its name, else by its folders |
//! | `layout` | folders of the user's choice, of CloudFront's version 2 |
//! | `neighbours` | what AWS writes beside the logs that are read here |
//! | `skip` | where a listing may go on that is outside the hours |

mod key;
mod layout;
mod neighbours;
mod skip;

pub use key::{distribution, folder, hour, is_hidden, possible_units, read};
pub use layout::Layout;
pub use skip::{skip, skip_unwanted};

pub use crate::kernel::schema::Named;
