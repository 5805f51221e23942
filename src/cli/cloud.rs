//! Arguments about places in the cloud, as several verbs have them.

use crate::edge::access::{Access, Encryption};
use crate::job::cloud::TypedCloud;

/// How the logs are reached.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "each is named as its argument")]
pub(super) struct From {
    /// Read (and move or delete) the logs as this role, such as
    /// `arn:aws:iam::123456789012:role/logs` of another account
    #[arg(long, value_name = "ARN", env = "EDGEMILL_FROM_ROLE")]
    from_role: Option<String>,
    /// The external id that the role asks for
    #[arg(long, value_name = "ID", env = "EDGEMILL_FROM_EXTERNAL_ID")]
    from_external_id: Option<String>,
    /// The region of the logs' bucket [default: that of the process]
    #[arg(long, value_name = "REGION", env = "EDGEMILL_FROM_REGION")]
    from_region: Option<String>,
    /// Say to the logs' bucket that you pay for the requests, as some want it
    #[arg(long, env = "EDGEMILL_REQUESTER_PAYS")]
    requester_pays: bool,
    #[command(flatten)]
    lake: Lake,
}

/// How the lake is reached.
#[derive(Debug, clap::Args)]
pub(super) struct Lake {
    /// Have the lake's files encrypted with S3's keys (s3) or KMS's (kms, kms:ARN) [default: as the
    /// bucket does by itself]
    #[arg(long, value_name = "KEYS", env = "EDGEMILL_ENCRYPTION")]
    pub(super) encryption: Option<Encryption>,
}

impl From {
    /// As a job takes it.
    pub(super) fn typed(self) -> TypedCloud {
        TypedCloud {
            encryption: self.lake.encryption,
            from_role: self.from_role,
            from_external_id: self.from_external_id,
            from_region: self.from_region,
            requester_pays: self.requester_pays.then_some(true),
            ..TypedCloud::default()
        }
    }
}

impl Lake {
    pub(super) fn access(self) -> Access {
        Access::encrypted(self.encryption)
    }
}
