//! `edgemill query`

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::error::{EXIT_DONE, Error, Result};
use crate::lake::Lake;
use crate::query::{self, Format};

/// Ask a lake in SQL
///
#[expect(clippy::doc_markdown, reason = "this is the help text, where backticks would be shown")]
/// Tables: cloudfront_logs, alb_logs, rejects. Views: cf_logs (the names of AWS's blog of 2017), cloudfront_standard_logs (the
/// names of AWS's documentation), access_logs (one shape over both sources).
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Args {
    /// Folder of the lake, or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "URL", env = "EDGEMILL_LAKE")]
    lake: String,
    /// One statement
    #[arg(group = "what", value_name = "SQL")]
    sql: Option<String>,
    /// One of the queries that come with edgemill: bots, bytes, viewers over cf_logs; access_bots, access_bytes, access_viewers
    /// over access_logs
    #[arg(long, group = "what", value_name = "NAME")]
    name: Option<String>,
    /// A file that holds one statement
    #[arg(long, group = "what", value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to print the answer; --json is json, one object a line
    #[arg(long, value_enum, default_value = "table")]
    format: FormatArg,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatArg {
    /// For people
    Table,
    /// With a header
    Csv,
    /// One object a line
    Json,
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let sql = match (args.sql, args.name, args.file) {
        (Some(sql), ..) => sql,
        (_, Some(name), _) => query::named(&name)?.to_owned(),
        (_, _, Some(file)) => std::fs::read_to_string(&file).map_err(|error| {
            Error::usage(
                format!("cannot read the query '{}': {error}", file.display()),
                "name a text file with one statement",
            )
        })?,
        _ => return Err(Error::usage("no query was given", "give SQL, --name or --file")),
    };
    let format = match args.format {
        _ if json => Format::Json,
        FormatArg::Table => Format::Table,
        FormatArg::Csv => Format::Csv,
        FormatArg::Json => Format::Json,
    };
    let lake = Lake::open(&args.lake).await?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let answer = query::ask(&lake, &sql, threads).await?;
    query::print(&answer, format, &mut std::io::stdout().lock())?;
    Ok(EXIT_DONE)
}
