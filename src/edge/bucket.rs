//! A bucket as `object_store` speaks to it, and what that library leaves to its user: answers that
//! no further try can change end a call at once, and keys are deleted one by one where a store has
//! no call for many.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpService,
    ReqwestConnector,
};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    ClientOptions, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::{aws_error, clock};

/// Keys of one call that deletes many, as S3 takes them.
const KEYS_AT_A_TIME: usize = 1_000;

/// Deletions of single keys sent at a time.
const DELETIONS_AT_A_TIME: usize = 16;

/// So long the tries of one deletion go on, and the first pause between two.
const TRIES_FOR: Duration = Duration::from_mins(1);
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// So long a signed URL holds, which is used at once.
const SIGNED_FOR: Duration = Duration::from_mins(5);

/// An answer that no further try of the same call can change, kept whole: the library tries every
/// answer from 500 on again, and forgets what a redirection says.
#[derive(Clone, Debug)]
pub(super) struct ErrorResponse {
    /// The status: 301 or 501.
    pub(super) status: u16,
    /// The region of the bucket, where the store names it.
    pub(super) region: Option<String>,
    /// What it says.
    pub(super) body: String,
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = if self.status == 501 { "Not Implemented" } else { "Moved Permanently" };
        write!(f, "status code: {} {words}: {}", self.status, self.body)
    }
}

impl std::error::Error for ErrorResponse {}

impl ErrorResponse {
    /// The one in a chain of causes.
    pub(super) fn of<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Self> {
        std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
    }
}

/// The library's own HTTP client, but for such answers.
#[derive(Debug)]
struct Once(HttpClient);

#[async_trait]
impl HttpService for Once {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.0.execute(request).await?;
        let status = response.status().as_u16();
        if !matches!(status, 301 | 501) {
            return Ok(response);
        }
        let region = response.headers().get("x-amz-bucket-region");
        let region = region.and_then(|region| region.to_str().ok()).map(str::to_owned);
        let body = response.into_body().bytes().await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        Err(HttpError::new(HttpErrorKind::Unknown, ErrorResponse { status, region, body }))
    }
}

/// Makes that client once, for the library and for us.
#[derive(Clone, Debug, Default)]
struct Connector(Arc<OnceLock<HttpClient>>);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        let client = HttpClient::new(Once(ReqwestConnector::default().connect(options)?));
        Ok(self.0.get_or_init(|| client).clone())
    }
}

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    s3: AmazonS3,
    client: HttpClient,
    endpoint: Arc<str>,
    /// Whether the store has said that it cannot delete many keys in one call.
    one_by_one: Arc<AtomicBool>,
}

impl Bucket {
    /// The bucket that a builder describes, at an endpoint.
    pub(super) fn build(builder: AmazonS3Builder, endpoint: &str) -> Result<Self> {
        let connector = Connector::default();
        let s3 = builder.with_http_connector(connector.clone()).build()?;
        let client = match connector.0.get() {
            Some(client) => client.clone(),
            None => connector.connect(&ClientOptions::new())?,
        };
        Ok(Self { s3, client, endpoint: endpoint.into(), one_by_one: Arc::default() })
    }

    /// The URL of the server that it is reached at.
    #[must_use]
    pub fn endpoint(&self) -> Arc<str> {
        Arc::clone(&self.endpoint)
    }

    /// What became of each of some keys.
    async fn delete_some(self, paths: Vec<Path>) -> Vec<Result<Path>> {
        if !self.one_by_one.load(Ordering::Relaxed) {
            let asked = futures::stream::iter(paths.clone()).map(Ok).boxed();
            let told: Vec<Result<Path>> = self.s3.delete_stream(asked).collect().await;
            if !told.iter().any(|told| told.as_ref().is_err_and(lacks_the_call)) {
                return told;
            }
        }
        let this = &self;
        let single = |path: Path| async move { this.delete_one(&path).await.map(|()| path) };
        let told: Vec<_> =
            futures::stream::iter(paths.into_iter().map(single)).buffered(DELETIONS_AT_A_TIME).collect().await;
        if told.iter().all(Result::is_ok) && !self.one_by_one.swap(true, Ordering::Relaxed) {
            tracing::debug!("the store cannot delete many keys in one call, so they are deleted one by one");
        }
        told
    }

    /// Deletes one key by a call of its own, which the library does not make. One that is gone is
    /// fine.
    async fn delete_one(&self, path: &Path) -> Result<()> {
        let (begun, mut pause) = (clock::since_boot(), FIRST_PAUSE);
        loop {
            let error = match self.send_delete(path).await? {
                Ok(status) if (200..300).contains(&status) || status == 404 => return Ok(()),
                Ok(status @ (401 | 403)) => {
                    let source = format!("status code: {status}").into();
                    return Err(Error::PermissionDenied { path: path.to_string(), source });
                }
                Ok(status) if status == 429 || status >= 500 => generic(format!("status code: {status}")),
                Ok(status) => return Err(generic(format!("status code: {status}"))),
                Err(error) if ErrorResponse::of(&error).is_some() => return Err(generic(error)),
                Err(error) => generic(error),
            };
            if clock::since_boot().saturating_sub(begun) + pause > TRIES_FOR {
                return Err(error);
            }
            tracing::debug!(%error, "deleting again");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// The status of the answer to one such call.
    async fn send_delete(&self, path: &Path) -> Result<Result<u16, HttpError>> {
        // The methods are of a crate that is not ours to name.
        let method = || "DELETE".parse().map_err(|_| generic("no such method".to_owned()));
        let url = self.s3.signed_url(method()?, path, SIGNED_FOR).await?;
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = "DELETE".parse().map_err(|_| generic("no such method".to_owned()))?;
        *request.uri_mut() = url.as_str().parse().map_err(|_| generic(format!("'{path}' makes no URL")))?;
        Ok(self.client.execute(request).await.map(|response| response.status().as_u16()))
    }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "S3", source: source.into() }
}

/// Whether an answer to a call that deletes many keys may mean that the store has no such call.
/// What else it may mean (credentials that have expired, say) is said once more by the call for one
/// key.
fn lacks_the_call(error: &Error) -> bool {
    let said = aws_error::said(error);
    ["status code: 400", "status code: 405", "status code: 501"].iter().any(|status| said.contains(status))
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.s3.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.s3.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.s3.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.s3.get_opts(path, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let chunks = paths.try_chunks(KEYS_AT_A_TIME).then(move |paths| {
            let this = this.clone();
            async move {
                match paths {
                    Ok(paths) => this.delete_some(paths).await,
                    Err(error) => vec![Err(error.1)],
                }
            }
        });
        chunks.flat_map(futures::stream::iter).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.s3.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.s3.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.s3.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.s3.copy_opts(from, to, options).await
    }
}
