//! A client of Glue, how long its calls take at most, and what a failed one says.

use std::time::Duration;

use aws_sdk_glue::Client;
use aws_sdk_glue::config::timeout::TimeoutConfig;
use aws_sdk_glue::error::{ProvideErrorMetadata, SdkError};

use crate::edge::{aws, aws_error};
use crate::error::Error;

/// One try of a call, and a call with all its tries. Creating, comparing and updating are three
/// calls, begun before half of the lake's `max_call_delay` has passed; together with them that
/// delay must not.
const TRY_SECONDS: u64 = 10;
const CALL_SECONDS: u64 = 28;

/// The shortest `max_call_delay` of a lake that may have a catalog behind Glue: its calls take
/// effect later than those of a store.
pub const LEAST_CALL_DELAY_SECONDS: u64 = 2 * 3 * CALL_SECONDS;

pub(super) async fn client() -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(TRY_SECONDS))
        .operation_timeout(Duration::from_secs(CALL_SECONDS))
        .build();
    let config = aws_sdk_glue::config::Builder::from(&aws::config().await).timeout_config(timeouts).build();
    Client::from_conf(config)
}

pub(super) fn failed<E>(permission: &str, action: &'static str, path: String, error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    aws_error::failed("glue", permission, action, path, error)
}
