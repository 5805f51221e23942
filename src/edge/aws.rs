//! AWS as this process sees it: one chain of credentials for every service, the SDK's, and for S3
//! through `object_store` too.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use object_store::{ClientOptions, CredentialProvider, RetryConfig};
use tokio::sync::Mutex;

use super::bucket::Bucket;
use super::{aws_error, clock};
use crate::error::{Error, Result};
use crate::model::access::{Access, Encryption};

/// Tries of one call, the first included; the SDK waits longer from one to the next, and longer
/// still where it is throttled.
const TRIES: u32 = 6;

/// The configuration of this process: environment, profile, web identity, container or instance
/// role, in the SDK's order; `AWS_ENDPOINT_URL` leads elsewhere.
pub async fn config() -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let retries = aws_config::retry::RetryConfig::standard().with_max_attempts(TRIES);
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).retry_config(retries);
    // The SDK's futures are large, and every place and service begins here.
    Box::pin(loader.load()).await
}

/// A request to S3 that takes longer is given up. With [`S3_RETRY_SECONDS`] it bounds how late a
/// call may take effect.
const S3_REQUEST_SECONDS: u64 = 60;

/// Tries of one call to S3 go on for so long.
const S3_RETRY_SECONDS: u64 = 60;

/// How late a call to S3 may take effect at most: the last try begins before the end of the tries,
/// and ends in time.
pub const S3_MAX_CALL_DELAY_SECONDS: u64 = S3_REQUEST_SECONDS + S3_RETRY_SECONDS + 60;

/// Credentials are asked for again when they hold no longer than this.
const RENEW_SECONDS: u64 = 300;

/// A bucket. What an access does not say, `object_store`'s own variables of the environment may
/// (`AWS_REQUEST_PAYER`, `AWS_SERVER_SIDE_ENCRYPTION`, ...).
pub async fn bucket(name: &str, access: &Access) -> Result<Bucket> {
    let config = config().await;
    let endpoint = std::env::var("AWS_ENDPOINT_URL_S3").ok().or_else(|| config.endpoint_url().map(str::to_owned));
    let region = access
        .region
        .clone()
        .or_else(|| config.region().map(ToString::to_string))
        .or_else(|| endpoint.is_some().then(|| "us-east-1".to_owned()));
    let Some(region) = region else {
        return Err(Error::usage(
            format!("the region of the bucket '{name}' is not known"),
            "set AWS_REGION, or a region in your AWS profile",
        ));
    };
    let Some(provider) = Box::pin(credentials(&config, access)).await else {
        return Err(aws_error::no_credentials("nothing provides any"));
    };
    let retries = RetryConfig { retry_timeout: Duration::from_secs(S3_RETRY_SECONDS), ..RetryConfig::default() };
    let client = ClientOptions::new().with_timeout(Duration::from_secs(S3_REQUEST_SECONDS));
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(name)
        .with_region(region)
        .with_client_options(client)
        .with_credentials(Arc::new(Credentials { provider, role: access.role.clone(), known: Mutex::default() }))
        .with_retry(retries);
    if access.requester_pays {
        builder = builder.with_request_payer(true);
    }
    builder = match &access.encryption {
        None => builder,
        Some(Encryption::S3) => with(builder, SSE, "AES256"),
        Some(Encryption::Kms(None)) => with(builder, SSE, "aws:kms"),
        Some(Encryption::Kms(Some(key))) => builder.with_sse_kms_encryption(key),
    };
    if let Some(endpoint) = &endpoint {
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    // The library knows a variable of its own, too.
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
    let bucket = Bucket::build(builder, endpoint.as_deref().unwrap_or(AWS_ENDPOINT));
    bucket.map_err(|error| Error::usage(format!("the bucket '{name}' cannot be used: {error}"), "check AWS_*"))
}

/// What AWS's own endpoints are called here, whatever their region.
const AWS_ENDPOINT: &str = "https://amazonaws.com";

/// The name of the kind of encryption among `object_store`'s settings, whose type it does not show.
const SSE: &str = "aws_server_side_encryption";

fn with(builder: AmazonS3Builder, name: &str, value: &str) -> AmazonS3Builder {
    match name.parse::<AmazonS3ConfigKey>() {
        Ok(key) => builder.with_config(key, value),
        Err(_) => builder,
    }
}

/// The credentials of this process, or of the role that it takes on with them.
async fn credentials(config: &SdkConfig, access: &Access) -> Option<SharedCredentialsProvider> {
    let own = config.credentials_provider()?;
    let Some(role) = &access.role else { return Some(own) };
    let mut builder = AssumeRoleProvider::builder(role).configure(config).session_name("edgemill");
    if let Some(external_id) = &access.external_id {
        builder = builder.external_id(external_id);
    }
    Some(SharedCredentialsProvider::new(builder.build_from_provider(own).await))
}

/// That no credentials are to be had.
#[derive(Clone, Debug)]
pub(super) struct NoCredentials {
    /// Whether there were some, which hold no longer.
    pub(super) renewed: bool,
    /// The role that could not be taken on, where one was to be.
    pub(super) role: Option<String>,
    /// What the SDK says.
    pub(super) said: String,
}

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for NoCredentials {}

impl NoCredentials {
    /// The one in a chain of causes.
    pub(super) fn of<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Self> {
        std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
    }
}

/// The SDK's credentials for `object_store`, which asks before every call.
#[derive(Debug)]
struct Credentials {
    provider: SharedCredentialsProvider,
    /// The role that is taken on with others, where one is.
    role: Option<String>,
    known: Mutex<Option<(Arc<AwsCredential>, Option<SystemTime>)>>,
}

#[async_trait]
impl CredentialProvider for Credentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut known = self.known.lock().await;
        let soon = UNIX_EPOCH + Duration::from_secs(clock::now_unix_seconds().cast_unsigned() + RENEW_SECONDS);
        if let Some((credential, expiry)) = &*known
            && expiry.is_none_or(|expiry| expiry > soon)
        {
            return Ok(Arc::clone(credential));
        }
        let provided = self.provider.provide_credentials().await;
        let provided = provided.map_err(|error| {
            let source =
                NoCredentials { renewed: known.is_some(), role: self.role.clone(), said: aws_error::said(&error) };
            object_store::Error::Unauthenticated { path: "S3".to_owned(), source: Box::new(source) }
        })?;
        let credential = Arc::new(AwsCredential {
            key_id: provided.access_key_id().to_owned(),
            secret_key: provided.secret_access_key().to_owned(),
            token: provided.session_token().map(str::to_owned),
        });
        *known = Some((Arc::clone(&credential), provided.expiry()));
        Ok(credential)
    }
}
