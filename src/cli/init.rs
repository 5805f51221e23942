//! `edgemill init`

use super::show;
use crate::edge::ledger::DynamoLedger;
use crate::error::{EXIT_DONE, Result};
use crate::lake::{Lake, LedgerChoice};

/// Make a lake and the table of its ledger, where they are not there yet
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the lake; made if it is not there
    #[arg(long, value_name = "URL", env = "EDGEMILL_TO")]
    to: String,
    /// Where the lake keeps its records: lake (in itself) or dynamodb:TABLE, made with on-demand capacity
    #[arg(long, value_name = "LEDGER", default_value = "lake", env = "EDGEMILL_LEDGER")]
    ledger: LedgerChoice,
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    if let LedgerChoice::Dynamodb { table } = &args.ledger {
        DynamoLedger::create_table(table).await?;
    }
    let lake = Lake::open_or_create(&args.to, Some(&args.ledger)).await?;
    if json {
        show::json(&lake.identity)?;
    } else {
        show::line(&format!("the lake {} in {}, its records in {}", lake.identity.lake_id, args.to, args.ledger))?;
    }
    Ok(EXIT_DONE)
}
