//! What the name of an object says, and what AWS writes beside the logs that are read here.

use crate::model::{Hour, Table};

/// Told of connection logs of load balancers, by names and by fields.
pub const LB_CONNECTION: &str = "connection log of a load balancer";
/// Told of their health-check logs.
pub const LB_HEALTH: &str = "health-check log of a load balancer";
/// Told of Network Load Balancers' logs.
pub const NETWORK_LB: &str = "Network Load Balancer log";
/// Told of Classic Load Balancers' logs.
pub const CLASSIC_LB: &str = "Classic Load Balancer log";
/// Told of the file by which a load balancer tries whether it may write.
pub const LB_TEST: &str = "test file of a load balancer";
/// Told of AWS WAF's logs.
pub const WAF: &str = "WAF log";
/// Told of flow logs of a VPC.
pub const VPC_FLOW: &str = "VPC flow log";
/// Told of the logs of `CloudTrail`.
pub const CLOUDTRAIL: &str = "CloudTrail log";

/// Told of server access logs of S3.
pub const S3_ACCESS: &str = "S3 server access log";

/// What a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A log that has a table.
    Log {
        /// The table.
        table: Table,
        /// The distribution's id, or a load balancer's `app/name/id`, where it is told.
        distribution: Option<String>,
        /// The hour in which its requests happened, most of them.
        hour: Hour,
        /// Whether the file's own name says that it is such a log; if not, only its folders do,
        /// which may hold anything.
        by_name: bool,
    },
    /// Something that AWS writes beside the logs that are read here; its name.
    Other(&'static str),
    /// A name that no source gives.
    Unknown,
}
