//! Clocks of this computer: one that goes on while the computer is suspended, and the date.

use std::time::Duration;

/// Time since the computer started, its suspensions included: what ages a reading. Never compared
/// between computers.
#[must_use]
pub fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        #[expect(unsafe_code, reason = "the standard library has no clock that counts suspension")]
        // SAFETY: the pointer is to a timespec of ours; the call fails only for an unknown clock,
        // and then writes nothing.
        let read = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
        if read == 0 {
            let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
            return Duration::new(seconds.unwrap_or(0), nanoseconds.unwrap_or(0));
        }
    }
    monotonic()
}

fn monotonic() -> Duration {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(std::time::Instant::now).elapsed() + Duration::from_hours(1)
}

/// The date and time, in UTC, as this computer's clock has it.
#[must_use]
pub fn now_in_words() -> String {
    let since = Duration::from_secs(u64::try_from(now_unix_seconds()).unwrap_or(0));
    humantime::format_rfc3339_seconds(std::time::UNIX_EPOCH + since).to_string()
}

/// Seconds since 1970, now, by this computer's clock; for people and for ages of hours, never for
/// the order of events.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that asks for the date")]
pub fn now_unix_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
