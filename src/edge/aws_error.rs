//! What a failed call of the AWS SDK says: what the service's words were, whether it may have
//! happened all the same, and which permission is missing.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::clock;
use crate::error::{Certainty, Error};

/// An error and its causes in one line; the SDK's own words for the outermost say only that there
/// was one.
pub(super) fn said(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    let mut causes: Vec<String> = causes.collect();
    causes.dedup();
    causes.join(": ")
}

/// A refusal by the service did not happen; anything else may have.
pub(super) fn certainty<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Certainty {
    match error {
        SdkError::ConstructionFailure(_) => Certainty::DidNotHappen,
        SdkError::ServiceError(service) if service.raw().status().is_client_error() => Certainty::DidNotHappen,
        _ => Certainty::MayHaveHappened,
    }
}

/// Whether a service asks for fewer calls, or cannot answer now: the same call may go through
/// later.
pub(super) fn may_pass<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ServiceError(service) => {
            service.raw().status().is_server_error() || error.code().is_some_and(is_passing)
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        _ => false,
    }
}

/// The codes of a throttled or stumbling service, of a whole call or of one entry of a batch.
pub(super) fn is_passing(code: &str) -> bool {
    let words = ["Throttl", "TooManyRequests", "LimitExceeded", "InternalService", "Timeout", "ConcurrentModification"];
    // An account's limit is no rate: it stays where it is until somebody raises it.
    !code.contains("ResourceNumberLimit") && words.iter().any(|word| code.contains(word))
}

/// Whether what went wrong with a call may pass by itself, by what we have made of it.
pub(super) fn may_pass_as(error: &Error) -> bool {
    match error {
        Error::Storage { certainty: Certainty::MayHaveHappened, .. } => true,
        Error::Storage { source, .. } => is_passing(&source.to_string()),
        _ => false,
    }
}

/// A failed call to a service (`glue`, `dynamodb`, `athena`) as our error. `permission` is what the
/// caller must be allowed for it, as IAM names it without the service: `GetTable`.
pub(super) fn failed<E>(
    service: &str,
    permission: &str,
    action: &'static str,
    path: String,
    error: &SdkError<E>,
) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let said = said(error);
    if NO_PROVIDER.iter().any(|words| said.contains(words)) {
        return no_credentials("nothing provides any");
    }
    if let Some(wrong) = wrong_clock(&path, &said) {
        return wrong;
    }
    let hint = match error.code() {
        Some(code) if is_stale(code) => "; renew the credentials and run again, nothing is lost".to_owned(),
        Some("EntityNotFoundException") if service == "glue" => "; edgemill init makes it".to_owned(),
        Some(code) if is_denied(code) => format!("; allow this user or role {service}:{permission}"),
        _ => String::new(),
    };
    Error::Storage { action, path, certainty: certainty(error), source: format!("{said}{hint}").into() }
}

/// The SDK's words for a process that has no credentials at all.
const NO_PROVIDER: [&str; 2] = ["no credentials found in chain", "no providers in chain provided credentials"];

/// That this process has no credentials, and how it gets some.
pub(super) fn no_credentials(said: &str) -> Error {
    // The SDK says of each place in a line of its own that there are none.
    let said = said.replace("the credential provider was not enabled: ", "").replace(". Attempted:", ":");
    let said: Vec<&str> = said.lines().map(str::trim).collect();
    Error::usage(
        format!("there are no AWS credentials ({})", said.join(" ")),
        "set AWS_PROFILE (and run aws sso login, where the profile is of SSO), or run with a role",
    )
}

/// What services say of a request that was signed at another time than theirs: S3 by a code,
/// others in the words of a signature that is not taken.
const WRONG_CLOCK: [&str; 4] =
    ["RequestTimeTooSkewed", "Signature expired: ", "Signature not yet current: ", "RequestInTheFuture"];

/// That this computer's clock is wrong, where that is what a service says of a call about `path`:
/// no call will be taken until it is set.
pub(super) fn wrong_clock(path: &str, said: &str) -> Option<Error> {
    WRONG_CLOCK.iter().any(|words| said.contains(words)).then(|| {
        let now = clock::now_in_words();
        Error::usage(
            format!("'{path}' takes no call, since the clock of this computer is wrong: it says {now}"),
            "set it (timedatectl set-ntp true, or chronyc makestep) and run again, nothing is lost",
        )
    })
}

/// The codes, or an answer that holds one, of credentials that are no longer taken.
pub(super) fn is_stale(code: &str) -> bool {
    let stale = [
        "ExpiredToken",
        "InvalidToken",
        "TokenRefreshRequired",
        "UnrecognizedClient",
        "InvalidSignature",
        "InvalidClientTokenId",
    ];
    stale.iter().any(|word| code.contains(word))
}

fn is_denied(code: &str) -> bool {
    code.contains("AccessDenied") || code.contains("NotAuthorized") || code.contains("Unauthorized")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_told_whichever_service_says_so() {
        for said in [
            "Server returned non-2xx status code: 403 Forbidden: <Error><Code>RequestTimeTooSkewed</Code></Error>",
            "InvalidSignatureException: Signature expired: 20261121T050000Z is now earlier than 20261121T060000Z",
            "InvalidSignatureException: Signature not yet current: 20261121T070000Z is still later than 20261121T060500Z",
        ] {
            let error = wrong_clock("dynamodb:edgemill", said).unwrap();
            let told = error.to_string();
            assert!(error.exit_code() == 2 && told.contains("clock") && told.contains("dynamodb:edgemill"), "{told}");
        }
        assert!(wrong_clock("s3://logs", "ExpiredToken: the security token is expired").is_none());
    }
}
