//! Failures of a store in words: whether the call may have been done, and what to do about a refusal.

use super::sdk;
use crate::error::{Certainty, Error};

/// What a store says, as our error: what it was about, whether it may have happened, and the way out.
pub(super) fn storage(action: &'static str, path: &str, error: object_store::Error) -> Error {
    if let object_store::Error::InvalidPath { source } = &error {
        let what = format!("'{path}' holds a name that no object may have: {:?}", source.to_string());
        return Error::usage(what, "rename it or remove it");
    }
    let certainty = match error {
        object_store::Error::Generic { .. } | object_store::Error::JoinError { .. } => Certainty::MayHaveHappened,
        _ => Certainty::DidNotHappen,
    };
    // A local place is a path to its user, not a URL.
    let local = url::Url::parse(path).ok().filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok());
    let path = local.map_or_else(|| path.to_owned(), |path| path.display().to_string());
    let source: crate::error::Cause = match refusal(action, &error) {
        Some(hint) => format!("{}{hint}", in_words(&sdk::said(&error))).into(),
        None => Box::new(error),
    };
    Error::Storage { action, path, certainty, source }
}

/// What is to be done where the service refused the caller, rather than the call.
pub(super) fn refusal(action: &str, error: &object_store::Error) -> Option<String> {
    // The library has a word for a refusal of some calls, and none for that of others.
    let said = sdk::said(error);
    let denied =
        matches!(error, object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. })
            || said.contains("<Code>AccessDenied</Code>");
    match error {
        object_store::Error::NotFound { .. } => None,
        _ if sdk::is_stale(&said) => Some("; renew the credentials and run again, nothing is lost".to_owned()),
        _ if denied => {
            // `read` and `look at` are one permission; a missing object looks like a forbidden one to who may not list.
            let permission = match action {
                "list" => "s3:ListBucket on the bucket",
                "write" => "s3:PutObject on the object",
                "copy to" => "s3:GetObject and s3:PutObject on the objects",
                "delete" => "s3:DeleteObject on the object",
                _ => "s3:GetObject on the object, and s3:ListBucket on the bucket",
            };
            Some(format!("; allow this user or role {permission}"))
        }
        _ => None,
    }
}

/// S3's own words out of its answer in XML.
fn in_words(said: &str) -> &str {
    let inside = |tag: &str| Some(said.split_once(&format!("<{tag}>"))?.1.split_once(&format!("</{tag}>"))?.0);
    inside("Message").or_else(|| inside("Code")).unwrap_or(said)
}
