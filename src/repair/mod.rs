//! What a lake has lost by somebody's hand, and what of it can be mended without its logs.
//!
//! Unit records, partition records, manifests and files each say something of the others, so
//! whatever is removed can be told from what is left, and much of it follows from what is left
//! ([`crate::kernel::ledger::restore`]):
//!
//! | gone | what is done here | what the raw logs are needed for |
//! |-|-|-|
//! | a file | its record says that it is lost | its unit is written anew |
//! | a record of a unit, or its last versions | made of partitions and manifests | where those are gone too |
//! | a record of a partition, or its last versions | made of units, manifests and files | where files were merged since |
//! | a manifest | nothing | its unit is written anew, from the listing |
//! | staged files of a batch on its way | nothing | its unit is written anew |
//!
//! Every change is a compare-and-set of one record, and what is lost is found by whoever looks
//! next, so a crash between two of them leaves nothing that is not found. A record whose last
//! versions are gone may be written again under the numbers of those; a worker that has seen them
//! would be led astray, so records are mended only while nobody is at work.
//!
//! | file | what it does |
//! |-|-|
//! | `loss` | what was lost: of one unit, and of a lake |
//! | `snapshot` | all that the ledger and the folders hold, each read once |
//! | `losses` | finds what is wrong; changes nothing |
//! | `mend` | mends what follows from what is left |
//! | `unnamed` | files that no record names: which are of no use, and their removal |
//! | `file_names` | the names of files that edgemill writes |
//! | `unit_manifests` | the manifests of a unit, as far as they can be read |

mod file_names;
mod loss;
mod losses;
mod mend;
mod snapshot;
mod unit_manifests;
mod unnamed;

pub use file_names::placed;
pub use loss::{Loss, Losses, told};
pub use losses::losses;
pub use mend::mend;
pub use unnamed::{clear_unnamed, ends_with, is_spare};
