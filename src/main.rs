//! Arguments, logging, runtime, and the outcome as an exit code.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use edgemill::cli;
use edgemill::cli::{Cli, LogFormat};
use edgemill::error::{EXIT_DONE, EXIT_FAILED, Error};

/// The query planner recurses, and is built without optimisation: its frames are large.
const STACK_BYTES: usize = 16 << 20;

fn main() -> ExitCode {
    keep_freed_memory();
    let cli = Cli::parse();
    let format = cli.global.log_format;
    log(format, cli.global.verbose);
    // A worker's panic is told as an error by whoever waits for it, one of a library on a damaged
    // file as damage.
    std::panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_stack_size(STACK_BYTES).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(async { tokio::spawn(cli::run(cli)).await }),
        Err(error) => {
            eprintln!("edgemill: cannot start: {error}");
            return ExitCode::from(EXIT_FAILED);
        }
    };
    match outcome {
        Ok(Ok(code)) => ExitCode::from(code),
        // The reader of our output has seen enough.
        Ok(Err(error)) if error.is_broken_pipe() => ExitCode::from(EXIT_DONE),
        Ok(Err(error)) => {
            let exit_code = Error::exit_code(&error);
            match format {
                LogFormat::Text => eprintln!("edgemill: {error}"),
                LogFormat::Json => tracing::error!(exit_code, "{error}"),
            }
            ExitCode::from(exit_code)
        }
        Err(error) => {
            eprintln!("edgemill: {error}; this is a defect of edgemill, please report it");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

/// Log lines go to stderr. Those of each hour and run are for machines: a person has the progress
/// and the summary.
fn log(format: LogFormat, verbose: u8) {
    let level = match (format, verbose) {
        (LogFormat::Text, 0) => "edgemill=info,edgemill_hour=off,edgemill_run=off",
        (LogFormat::Json, 0) => "edgemill=info",
        (_, 1) => "edgemill=debug",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("EDGEMILL_LOG").unwrap_or_else(|_| level.into());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
    }
}

/// Tells glibc to keep what is freed for the next chunk. Left alone it gives the memory back to the
/// system and takes it again a moment later, page by page: 0.9 of 13 CPU seconds per GB of raw log.
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const KEEP_BYTES: i32 = 1 << 30;
        // The most that glibc takes for this one; larger blocks are always the system's.
        const LARGE_BLOCK_BYTES: i32 = 32 << 20;
        // Threads share what was freed, too: with glibc's eight arenas a core, 64 threads held 832
        // MB where 466 were in use.
        const ARENAS: i32 = 2;
        const GROW_BYTES: i32 = 16 << 20;
        #[expect(unsafe_code, reason = "glibc's tuning has no safe interface")]
        // SAFETY: called before any other thread is there; unknown parameters are refused with a
        // return value.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, ARENAS);
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEEP_BYTES);
            libc::mallopt(libc::M_TOP_PAD, GROW_BYTES);
        }
    }
}
