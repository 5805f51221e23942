//! Failures of a store in words: whether the call may have been done, and what to do about a
//! refusal.

use super::aws::NoCredentials;
use super::aws_error;
use super::bucket::ErrorResponse;
use crate::error::{Certainty, Error};

/// What a store says, as our error: what it was about, whether it may have happened, and the way
/// out.
pub(super) fn storage(action: &'static str, path: &str, error: object_store::Error) -> Error {
    if let object_store::Error::InvalidPath { source } = &error {
        let what = format!("'{path}' holds a name that no object may have: {:?}", source.to_string());
        return Error::usage(what, "rename it or remove it");
    }
    if let Some(wrong) = never(path, &error) {
        return wrong;
    }
    let certainty = match error {
        object_store::Error::Generic { .. } | object_store::Error::JoinError { .. } => Certainty::MayHaveHappened,
        _ => Certainty::DidNotHappen,
    };
    let said = aws_error::said(&error);
    let source: crate::error::Cause = match refusal(action, &error) {
        Some(hint) => format!("{}{hint}", in_words(&said)).into(),
        // What a store says in XML holds the numbers of a request and a host, which tell a reader
        // nothing.
        None if element(&said, "Code").is_some() => in_words(&said).into(),
        None => Box::new(error),
    };
    Error::Storage { action, path: shown(path), certainty, source }
}

/// A local place as a path to its user, not as a URL.
pub(super) fn shown(path: &str) -> String {
    let local = url::Url::parse(path).ok().filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok());
    local.map_or_else(|| path.to_owned(), |path| path.display().to_string())
}

/// Whether there is no such object. Where there is not even a bucket, that is another thing.
pub(super) fn is_absent(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) && code(error).is_none_or(|code| code != "NoSuchBucket")
}

/// What is wrong with the call itself where the same call can never succeed: there is no such
/// bucket, it is elsewhere, or nobody is known by these credentials.
fn never(path: &str, error: &object_store::Error) -> Option<Error> {
    let said = aws_error::said(error);
    // Who lends a role says it too.
    if let Some(wrong) = aws_error::wrong_clock(path, &said) {
        return Some(wrong);
    }
    if let Some(none) = NoCredentials::of(error) {
        return without_credentials(none);
    }
    let bucket = path.strip_prefix("s3://").and_then(|path| path.split('/').next()).unwrap_or(path);
    let region =
        ErrorResponse::of(error).and_then(|answer| answer.region.as_deref()).or_else(|| element(&said, "Region"));
    let moved = ErrorResponse::of(error).is_some_and(|answer| answer.status == 301)
        || said.contains("redirect without LOCATION");
    match element(&said, "Code") {
        Some("NoSuchBucket") => Some(Error::usage(
            format!("there is no bucket '{bucket}' ('{path}')"),
            format!("check the spelling and the account, or make it (aws s3 mb s3://{bucket})"),
        )),
        Some("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
            Some(elsewhere(bucket, region))
        }
        _ if moved => Some(elsewhere(bucket, region)),
        Some("InvalidAccessKeyId" | "SignatureDoesNotMatch") => Some(Error::usage(
            format!("'{path}' does not take the credentials of this process: {}", in_words(&said)),
            "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )),
        _ => None,
    }
}

fn elsewhere(bucket: &str, region: Option<&str>) -> Error {
    let (is_in, set) = match region {
        Some(region) => (format!("in the region {region}"), format!("set AWS_REGION={region}")),
        None => ("in another region than it was asked for in".to_owned(), "set AWS_REGION to the bucket's".to_owned()),
    };
    Error::usage(
        format!("the bucket '{bucket}' is {is_in}"),
        format!("{set}, or name it with --from-region for a bucket of logs"),
    )
}

/// That there are no credentials; nothing where there were some and they could not be renewed, or
/// where nobody answered, which another run may find otherwise.
fn without_credentials(none: &NoCredentials) -> Option<Error> {
    if none.renewed || none.said.contains("timed out") {
        return None;
    }
    Some(match &none.role {
        Some(role) => Error::usage(
            format!("the role '{role}' cannot be taken on: {}", none.said),
            "check its ARN, and that it lets this user take it on (sts:AssumeRole)",
        ),
        None => aws_error::no_credentials(&none.said),
    })
}

/// What is to be done where the service refused the caller, rather than the call.
pub(super) fn refusal(action: &str, error: &object_store::Error) -> Option<String> {
    // The library has a word for a refusal of some calls, and none for that of others.
    let said = aws_error::said(error);
    let denied =
        matches!(error, object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. })
            || said.contains("<Code>AccessDenied</Code>");
    match error {
        object_store::Error::NotFound { .. } => None,
        _ if NoCredentials::of(error).is_some() || aws_error::is_stale(&said) => {
            Some("; renew the credentials and run again, nothing is lost".to_owned())
        }
        _ if denied => {
            // `read` and `look at` are one permission; a missing object looks like a forbidden one
            // to who may not list.
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

/// Whether a store was asked in vain and will be: the caller or the place is wrong, so nothing was
/// done and nothing will be.
pub(super) fn is_final(error: &object_store::Error) -> bool {
    never("", error).is_some() || refusal("write", error).is_some()
}

/// Why a store has no writes under a condition, where that is what it says: in its own words.
pub(super) fn has_no_conditions(error: &object_store::Error) -> Option<String> {
    if matches!(error, object_store::Error::NotImplemented { .. }) {
        return Some("AWS_CONDITIONAL_PUT=disabled says so".to_owned());
    }
    let said = aws_error::said(error);
    let status = ["400", "501"].into_iter().find(|status| said.contains(&format!("status code: {status}")))?;
    // Many other things are a 400, and those that are this one have no code of their own.
    let codes = ["InvalidArgument", "InvalidRequest", "NotImplemented"];
    match element(&said, "Code") {
        Some(code) if status == "400" && !codes.contains(&code) => None,
        Some(_) => Some(format!("it answered {status}, {}", in_words(&said))),
        None => Some(format!("it answered {status}")),
    }
}

/// Whether a write under a condition met another of the same name: S3 says 409, and to try again.
pub(super) fn is_conflict(error: &object_store::Error) -> bool {
    let said = aws_error::said(error);
    said.contains("status code: 409") || said.contains("<Code>ConditionalRequestConflict</Code>")
}

/// The code of an answer.
fn code(error: &object_store::Error) -> Option<String> {
    element(&aws_error::said(error), "Code").map(str::to_owned)
}

/// What stands in an element of an answer in XML.
fn element<'s>(said: &'s str, tag: &str) -> Option<&'s str> {
    Some(said.split_once(&format!("<{tag}>"))?.1.split_once(&format!("</{tag}>"))?.0)
}

/// S3's own words out of its answer in XML.
pub(super) fn in_words(said: &str) -> String {
    match (element(said, "Message").filter(|message| !message.is_empty()), element(said, "Code")) {
        (Some(message), Some(code)) if !message.contains(code) => format!("{} ({code})", message.trim_end_matches('.')),
        (Some(message), _) => message.to_owned(),
        (None, Some(code)) => code.to_owned(),
        (None, None) => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(status: u16, code: &str) -> object_store::Error {
        let body = format!(
            "<Error><Code>{code}</Code><Message>Said.</Message><RequestId>4442587FB7D0A2F9</RequestId>\
             <HostId>x</HostId><Region>eu-west-1</Region></Error>"
        );
        object_store::Error::Generic {
            store: "S3",
            source: format!("Server returned non-2xx status code: {status} Some Words: {body}").into(),
        }
    }

    #[test]
    fn what_can_never_succeed_is_wrong_usage_without_xml() {
        for (error, words) in [
            (generic(404, "NoSuchBucket"), "there is no bucket 'b'"),
            (generic(400, "AuthorizationHeaderMalformed"), "AWS_REGION=eu-west-1"),
            (generic(301, "PermanentRedirect"), "in the region eu-west-1"),
            (generic(403, "InvalidAccessKeyId"), "does not take the credentials"),
            (generic(403, "SignatureDoesNotMatch"), "AWS_PROFILE"),
            (generic(403, "RequestTimeTooSkewed"), "the clock of this computer is wrong"),
        ] {
            let error = storage("list", "s3://b/logs", error);
            let said = error.to_string();
            assert!(error.exit_code() == 2 && said.contains(words) && !said.contains('<'), "{said}");
        }
        for code in ["ExpiredToken", "InternalError", "AccessDenied"] {
            let error = storage("list", "s3://b/logs", generic(400, code));
            let said = error.to_string();
            assert!(error.exit_code() == 1 && said.contains(code) && !said.contains("4442587FB7D0A2F9"), "{said}");
        }
    }

    #[test]
    fn a_store_without_conditions_is_told_from_other_answers() {
        for (status, code, has_none) in [
            (501, "NotImplemented", true),
            (400, "InvalidArgument", true),
            (400, "ExpiredToken", false),
            (400, "RequestTimeout", false),
            (503, "SlowDown", false),
        ] {
            assert_eq!(has_no_conditions(&generic(status, code)).is_some(), has_none, "{status} {code}");
        }
    }
}
