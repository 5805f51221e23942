//! Folders of this computer.

use crate::edge::local::remove_folder;

#[test]
fn a_folder_that_others_remove_too_is_looked_at_again() {
    use std::io::ErrorKind::{DirectoryNotEmpty, PermissionDenied};
    let tried = |answers: &[std::io::ErrorKind]| {
        let mut answers = answers.iter();
        let removed = remove_folder(|| answers.next().map_or(Ok(()), |kind| Err((*kind).into())));
        (removed.map_err(|error| error.kind()), answers.len())
    };
    assert_eq!(tried(&[DirectoryNotEmpty; 2]), (Ok(()), 0));
    assert_eq!(tried(&[PermissionDenied; 2]), (Err(PermissionDenied), 1));
    assert_eq!(tried(&[DirectoryNotEmpty; 20]), (Err(DirectoryNotEmpty), 10));
}
