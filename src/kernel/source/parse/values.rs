//! Text to typed values. `None` means that the text is no such value; nothing is guessed or
//! rounded.

use crate::model::days_from_civil;

/// Longest text whose digits surely fit an `i64`.
const SAFE_DIGITS: usize = 18;

/// A decimal integer: an optional minus, digits, nothing else.
#[must_use]
pub fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > SAFE_DIGITS {
        return std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?.parse().ok();
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// A 32-bit integer.
#[must_use]
pub fn small_integer(text: &[u8]) -> Option<i32> {
    integer(text).and_then(|value| i32::try_from(value).ok())
}

/// Powers of ten that a double holds exactly.
const POWERS_OF_TEN: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A decimal number such as `0.023`. The words that Rust would read too (`inf`, `nan`) are no
/// numbers here.
///
/// Up to 15 digits the mantissa and the power of ten are both exact doubles, so one division rounds
/// once and gives the nearest double, the same as the slow way.
#[must_use]
pub fn double(text: &[u8]) -> Option<f64> {
    let (negative, unsigned) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let (mut mantissa, mut digits, mut decimals, mut point) = (0_u32, 0_usize, 0_usize, false);
    for byte in unsigned {
        match byte {
            b'0'..=b'9' if digits < 9 => {
                mantissa = mantissa * 10 + u32::from(byte - b'0');
                digits += 1;
                decimals += usize::from(point);
            }
            b'.' if !point => point = true,
            _ => return slow_double(text),
        }
    }
    if digits == 0 {
        return None;
    }
    let value = f64::from(mantissa) / POWERS_OF_TEN[decimals];
    Some(if negative { -value } else { value })
}

fn slow_double(text: &[u8]) -> Option<f64> {
    let number_like = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    if !number_like || text.first() == Some(&b'+') {
        return None;
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// The last second that a partition's four-digit year can say; nothing was logged before 1970
/// either.
pub const LAST_SECOND: i64 = 253_402_300_799;

/// Reads `YYYY-MM-DD` and `HH:MM:SS` (UTC) to seconds since 1970. Remembers the last date, since a
/// log holds few.
#[derive(Debug, Default)]
pub struct Clock {
    date: [u8; 10],
    date_seconds: Option<i64>,
}

impl Clock {
    /// Seconds since 1970 of a date and a time; `Err` names the one that is wrong.
    pub fn seconds(&mut self, date: &[u8], time: &[u8]) -> Result<i64, &'static str> {
        if self.date_seconds.is_none() || date != self.date {
            self.date_seconds = days(date).map(|days| days * 86_400);
            self.date = date.try_into().unwrap_or_default();
        }
        let date_seconds = self.date_seconds.ok_or("date")?;
        let seconds_of_day = match time {
            [h1, h2, b':', m1, m2, b':', s1, s2] => {
                let hour = two_digits(*h1, *h2).filter(|hour| *hour < 24).ok_or("time")?;
                let minute = two_digits(*m1, *m2).filter(|minute| *minute < 60).ok_or("time")?;
                // A leap second is logged as 60 where it is logged at all; it becomes the next
                // minute's first second.
                let second = two_digits(*s1, *s2).filter(|second| *second <= 60).ok_or("time")?;
                hour * 3_600 + minute * 60 + second
            }
            _ => return Err("time"),
        };
        let seconds = date_seconds + seconds_of_day;
        if (0..=LAST_SECOND).contains(&seconds) { Ok(seconds) } else { Err("date") }
    }
}

impl Clock {
    /// Microseconds since 1970 of `YYYY-MM-DDTHH:MM:SS[.fraction]Z`; `Err` names what is wrong.
    /// Digits after the sixth are cut.
    pub fn iso_micros(&mut self, text: &[u8]) -> Result<i64, &'static str> {
        let rest = text.strip_suffix(b"Z").or_else(|| text.strip_suffix(b"+00:00")).ok_or("time")?;
        let (date, time) = rest.split_at_checked(10).ok_or("time")?;
        let (time, fraction) = match time {
            [b'T' | b' ', time @ ..] if time.len() >= 8 => time.split_at(8),
            _ => return Err("time"),
        };
        let seconds = self.seconds(date, time)?;
        let micros = match fraction {
            [] => 0,
            [b'.', digits @ ..] if !digits.is_empty() => fraction_micros(digits).ok_or("time")?,
            _ => return Err("time"),
        };
        Ok(seconds * 1_000_000 + micros)
    }

    /// Microseconds since 1970 of a time whose kind is not told: ISO 8601, or milliseconds since
    /// 1970, or seconds with or without a fraction. Numbers are told apart by their size: seconds
    /// have eleven digits only after the year 5138.
    pub fn any_micros(&mut self, text: &[u8]) -> Result<i64, &'static str> {
        if text.contains(&b'T') {
            return self.iso_micros(text);
        }
        let (whole, fraction) = match memchr::memchr(b'.', text) {
            Some(point) => (&text[..point], &text[point + 1..]),
            None => (text, &text[..0]),
        };
        let whole = integer(whole).filter(|whole| *whole >= 0).ok_or("time")?;
        let fraction = fraction_micros(fraction).ok_or("time")?;
        let micros = if whole < 100_000_000_000 {
            whole * 1_000_000 + fraction
        } else {
            whole.checked_mul(1_000).ok_or("time")? + fraction / 1_000
        };
        if (0..=LAST_SECOND * 1_000_000).contains(&micros) { Ok(micros) } else { Err("time") }
    }
}

/// Up to nine digits behind a point as millionths; digits after the sixth are cut.
fn fraction_micros(digits: &[u8]) -> Option<i64> {
    if digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let places = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    Some(places.fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens) * 10 + i64::from(ones))
}

fn days(date: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else { return None };
    let year = two_digits(*y1, *y2)? * 100 + two_digits(*y3, *y4)?;
    let (month, day) = (two_digits(*m1, *m2)?, two_digits(*d1, *d2)?);
    days_from_civil(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_are_read_whole_or_not_at_all() {
        for (text, value) in [
            ("0", Some(0)),
            ("000", Some(0)),
            ("-12", Some(-12)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("", None),
            ("-", None),
            ("+1", None),
            ("+1000000000000000000", None),
            ("1.0", None),
            ("abc", None),
            (" 1", None),
        ] {
            assert_eq!(integer(text.as_bytes()), value, "{text}");
        }
        assert_eq!(small_integer(b"2147483648"), None);
    }

    #[test]
    fn words_are_no_numbers() {
        for text in ["inf", "nan", "", ".", "-", "1.2.3", "1e999", "0x10", "+1", "1 "] {
            assert_eq!(double(text.as_bytes()), None, "{text}");
        }
        assert_eq!(double(b"1e3"), Some(1_000.0));
    }

    #[test]
    fn times_are_utc_seconds() {
        let mut clock = Clock::default();
        assert_eq!(clock.seconds(b"1970-01-02", b"00:00:01"), Ok(86_401));
        assert_eq!(clock.seconds(b"2026-11-21", b"05:59:59"), Ok(1_795_240_799));
        assert_eq!(clock.seconds(b"2016-12-31", b"23:59:60"), clock.seconds(b"2017-01-01", b"00:00:00"));
        for (date, time, wrong) in [
            ("2026-02-30", "00:00:00", "date"),
            ("2026-2-30", "00:00:00", "date"),
            ("-", "00:00:00", "date"),
            ("", "00:00:00", "date"),
            ("1969-12-31", "23:59:59", "date"),
            ("9999-12-31", "23:59:60", "date"),
            ("2026-02-28", "24:00:00", "time"),
            ("2026-02-28", "00:60:00", "time"),
            ("2026-02-28", "0:00:00", "time"),
            ("2026-02-28", "-", "time"),
        ] {
            assert_eq!(clock.seconds(date.as_bytes(), time.as_bytes()), Err(wrong), "{date} {time}");
        }
    }

    #[test]
    fn times_of_other_kinds_are_utc_too() {
        let mut clock = Clock::default();
        for (text, micros) in [
            ("1970-01-01T00:00:01Z", Ok(1_000_000)),
            ("1970-01-01T00:00:01.5Z", Ok(1_500_000)),
            ("1970-01-01T00:00:00.000001Z", Ok(1)),
            ("1970-01-01T00:00:00.123456789+00:00", Ok(123_456)),
            ("1970-01-01T00:00:00", Err("time")),
            ("1970-01-01T00:00:00.Z", Err("time")),
            ("1970-01-01T00:00:00,1Z", Err("time")),
            ("1970-01-01", Err("time")),
            ("-", Err("time")),
            ("", Err("time")),
        ] {
            assert_eq!(clock.iso_micros(text.as_bytes()), micros, "{text}");
        }
        for (text, micros) in [
            ("1731620046814", Ok(1_731_620_046_814_000)),
            ("1607374321.541", Ok(1_607_374_321_541_000)),
            ("1607374321", Ok(1_607_374_321_000_000)),
            ("2026-11-21T05:00:00Z", Ok(1_795_237_200_000_000)),
            ("9223372036854775807", Err("time")),
            ("-1", Err("time")),
            ("1.x", Err("time")),
            ("", Err("time")),
        ] {
            assert_eq!(clock.any_micros(text.as_bytes()), micros, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_fast_way_is_the_slow_way(text in "-?[0-9]{0,12}(\\.[0-9]{0,12})?") {
            let slow = text.parse::<f64>().ok().filter(|_| text != "-");
            prop_assert_eq!(double(text.as_bytes()), slow, "{}", text);
            prop_assert_eq!(integer(text.as_bytes()), text.parse::<i64>().ok());
        }

        #[test]
        fn any_bytes_are_borne(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
            let mut clock = Clock::default();
            let _ = (integer(&bytes), double(&bytes), clock.seconds(&bytes, &bytes));
            let _ = (clock.iso_micros(&bytes), clock.any_micros(&bytes));
        }
    }
}
