//! The AWS SDK's configuration: one chain of credentials and one HTTP stack for every service.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// Tries of one call, the first included; the SDK waits longer from one to the next, and longer still where it is throttled.
const TRIES: u32 = 6;

/// The configuration of this process: environment, profile, web identity, container or instance role, in the SDK's order;
/// `AWS_ENDPOINT_URL` leads elsewhere.
pub async fn config() -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let retries = aws_config::retry::RetryConfig::standard().with_max_attempts(TRIES);
    aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).retry_config(retries).load().await
}
