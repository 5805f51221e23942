//! Values as text, written straight behind what is already there: numbers, texts and instants of a
//! log by code of their own, whatever else an expression may make by Arrow's formatter. The texts
//! are Arrow's, to the byte.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, PrimitiveArray, StringArray,
    StringViewArray, UInt64Array,
};
use arrow::datatypes::{
    ArrowTimestampType, DataType, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// A column of a batch, ready to be written value by value.
pub(super) struct ColumnWriter<'a> {
    array: &'a ArrayRef,
    kind: TypedArray<'a>,
    has_nulls: bool,
}

enum TypedArray<'a> {
    Text(&'a StringArray),
    TextView(&'a StringViewArray),
    Int(&'a Int32Array),
    BigInt(&'a Int64Array),
    Count(&'a UInt64Array),
    Double(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Instant(Instants<'a>),
    Other { formatter: ArrayFormatter<'a>, text: String },
}

static OPTIONS: FormatOptions<'static> = FormatOptions::new();

impl<'a> ColumnWriter<'a> {
    /// The values of a column.
    pub(super) fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        let kind = match array.data_type() {
            DataType::Utf8 => TypedArray::Text(array.as_string()),
            DataType::Utf8View => TypedArray::TextView(array.as_string_view()),
            DataType::Int32 => TypedArray::Int(array.as_primitive::<Int32Type>()),
            DataType::Int64 => TypedArray::BigInt(array.as_primitive::<Int64Type>()),
            DataType::UInt64 => TypedArray::Count(array.as_primitive::<UInt64Type>()),
            DataType::Float64 => TypedArray::Double(array.as_primitive::<Float64Type>()),
            DataType::Boolean => TypedArray::Boolean(array.as_boolean()),
            DataType::Timestamp(unit, zone) if zone.as_deref().is_none_or(is_utc) => {
                TypedArray::Instant(Instants::new(array, *unit, zone.is_some())?)
            }
            _ => Self::other(array)?,
        };
        Ok(Self { array, kind, has_nulls: array.is_nullable() })
    }

    fn other(array: &'a ArrayRef) -> Result<TypedArray<'a>, ArrowError> {
        Ok(TypedArray::Other { formatter: ArrayFormatter::try_new(array, &OPTIONS)?, text: String::new() })
    }

    /// Whether a value may hold any character at all; else it is a number, a word or an instant.
    pub(super) const fn is_free_text(&self) -> bool {
        matches!(self.kind, TypedArray::Text(_) | TypedArray::TextView(_) | TypedArray::Other { .. })
    }

    /// Writes the value of a row; NULL is nothing.
    pub(super) fn write(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if self.has_nulls && self.array.is_null(row) {
            return Ok(());
        }
        match &mut self.kind {
            TypedArray::Text(values) => out.extend_from_slice(values.value(row).as_bytes()),
            TypedArray::TextView(values) => out.extend_from_slice(values.value(row).as_bytes()),
            TypedArray::Int(values) => integer(values.value(row).into(), out),
            TypedArray::BigInt(values) => integer(values.value(row), out),
            TypedArray::Count(values) => natural(values.value(row), out),
            TypedArray::Double(values) => double(values.value(row), out),
            TypedArray::Boolean(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            TypedArray::Instant(instants) => instants.write(row, out)?,
            TypedArray::Other { formatter, text } => {
                text.clear();
                formatter.value(row).write(text)?;
                out.extend_from_slice(text.as_bytes());
            }
        }
        Ok(())
    }
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "Z" | "+00:00")
}

/// Instants of UTC, or of no zone.
struct Instants<'a> {
    /// What a year of more or less than four digits, or none, is left to.
    formatter: ArrayFormatter<'a>,
    ticks: &'a [i64],
    per_second: i64,
    zone: &'static [u8],
    /// The day that `date` tells: logs are in order, and a day has many rows.
    day: i64,
    date: [u8; 10],
}

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Days from 1970-01-01 to the first and last day of the years of four digits: 0000-01-01 and
/// 9999-12-31.
const FOUR_DIGITS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

impl<'a> Instants<'a> {
    fn new(array: &'a ArrayRef, unit: TimeUnit, has_zone: bool) -> Result<Self, ArrowError> {
        fn ticks<T: ArrowTimestampType>(array: &ArrayRef) -> &[i64] {
            let array: &PrimitiveArray<T> = array.as_primitive();
            array.values()
        }
        let (ticks, per_second) = match unit {
            TimeUnit::Second => (ticks::<TimestampSecondType>(array), 1),
            TimeUnit::Millisecond => (ticks::<TimestampMillisecondType>(array), 1_000),
            TimeUnit::Microsecond => (ticks::<TimestampMicrosecondType>(array), 1_000_000),
            TimeUnit::Nanosecond => (ticks::<TimestampNanosecondType>(array), 1_000_000_000),
        };
        let formatter = ArrayFormatter::try_new(array, &OPTIONS)?;
        let zone: &[u8] = if has_zone { b"Z" } else { b"" };
        Ok(Self { formatter, ticks, per_second, zone, day: 0, date: *b"1970-01-01" })
    }

    fn write(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let ticks = self.ticks[row];
        let (seconds, fraction) = (ticks.div_euclid(self.per_second), ticks.rem_euclid(self.per_second));
        let (day, second) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
        if !FOUR_DIGITS.contains(&day) {
            let mut text = String::new();
            self.formatter.value(row).write(&mut text)?;
            out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        if day != self.day {
            (self.day, self.date) = (day, date(day));
        }
        out.extend_from_slice(&self.date);
        let [hour, minute, second] = [second / 3_600, second / 60 % 60, second % 60].map(two_digits);
        out.extend_from_slice(&[b'T', hour[0], hour[1], b':', minute[0], minute[1], b':', second[0], second[1]]);
        if fraction != 0 {
            // As many digits as are needed, in threes.
            let nanoseconds = fraction * (1_000_000_000 / self.per_second);
            let (value, width) = match nanoseconds {
                n if n % 1_000_000 == 0 => (n / 1_000_000, 3),
                n if n % 1_000 == 0 => (n / 1_000, 6),
                n => (n, 9),
            };
            let mut digits = String::new();
            let _ = write!(digits, ".{value:0width$}");
            out.extend_from_slice(digits.as_bytes());
        }
        out.extend_from_slice(self.zone);
        Ok(())
    }
}

/// The text of a day, counted from 1970-01-01, of a year of four digits. (Years begin in March
/// here, so that the day which some years lack is the last.)
fn date(day: i64) -> [u8; 10] {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let [century, year, month, day] = [year / 100, year % 100, month, day].map(two_digits);
    [century[0], century[1], year[0], year[1], b'-', month[0], month[1], b'-', day[0], day[1]]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "each digit is below ten")]
const fn two_digits(value: i64) -> [u8; 2] {
    [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]
}

fn integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    natural(value.unsigned_abs(), out);
}

/// The pairs of digits from 00 to 99.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value: u8 = 0;
    while value < 100 {
        pairs[value as usize] = [b'0' + value / 10, b'0' + value % 10];
        value += 1;
    }
    pairs
};

#[expect(clippy::cast_possible_truncation, reason = "the remainder of a hundred")]
fn natural(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    while value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if value > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// The digits behind the point that logs have at most.
const DECIMALS: f64 = 1e3;

/// Numbers whose thousandfold is below this have fifteen digits at most, and each of those is
/// another number.
const EXACT_BELOW: f64 = 1e15;

fn double(value: f64, out: &mut Vec<u8>) {
    if thousandths(value, out) {
        return;
    }
    // By Arrow's own library: of the shortest texts of a number Rust may take another (of
    // 1076051475588434.25 the one that ends with 2, this one that with 3), and it writes exponents
    // elsewhere.
    out.extend_from_slice(ryu::Buffer::new().format(value).as_bytes());
}

/// Writes a number that is so many thousandths, as times in logs are; whether it is one.
pub(super) fn thousandths(value: f64, out: &mut Vec<u8>) -> bool {
    let thousandfold = (value * DECIMALS).round();
    #[expect(clippy::float_cmp, reason = "only the very same number may be written as those digits")]
    let is_exact = thousandfold.abs() < EXACT_BELOW && thousandfold / DECIMALS == value;
    if !is_exact || (value == 0.0 && value.is_sign_negative()) {
        return false;
    }
    if value < 0.0 {
        out.push(b'-');
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and below 1e15")]
    let digits = thousandfold.abs() as i64;
    integer(digits / 1_000, out);
    let rest = digits % 1_000;
    let [tens, ones] = two_digits(rest % 100);
    out.extend_from_slice(&[b'.', two_digits(rest / 100)[1]]);
    if rest % 100 != 0 {
        out.push(tens);
    }
    if ones != b'0' {
        out.push(ones);
    }
    true
}

/// A column of maps, lists or structs as text; any other as it is.
pub(super) fn flat(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if !column.data_type().is_nested() {
        return Ok(Arc::clone(column));
    }
    let formatter = ArrayFormatter::try_new(column, &OPTIONS)?;
    let value = |row| column.is_valid(row).then(|| formatter.value(row).try_to_string()).transpose();
    Ok(Arc::new((0..column.len()).map(value).collect::<Result<StringArray, ArrowError>>()?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, StringArray, TimestampMillisecondArray, TimestampNanosecondArray};
    use proptest::prelude::*;

    use super::*;

    /// Every value of a column is what Arrow's formatter makes of it.
    fn as_arrow(array: &ArrayRef) {
        let formatter = ArrayFormatter::try_new(array, &OPTIONS).unwrap();
        let mut values = ColumnWriter::new(array).unwrap();
        for row in 0..array.len() {
            let mut out = Vec::new();
            values.write(row, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), formatter.value(row).to_string(), "{}", array.data_type());
        }
    }

    #[test]
    fn edges_are_written_as_arrow_writes_them() {
        let ints = [0, 7, 9, 10, 11, 99, 100, 101, 999, 1_000, 70_000, i64::MAX, i64::MIN, -1, -10];
        as_arrow(&(Arc::new(ints.map(Some).into_iter().chain([None]).collect::<Int64Array>()) as ArrayRef));
        as_arrow(&(Arc::new(Int32Array::from(vec![i32::MIN, i32::MAX, 0])) as ArrayRef));
        as_arrow(&(Arc::new(UInt64Array::from(vec![u64::MAX, 0])) as ArrayRef));
        as_arrow(&(Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])) as ArrayRef));
        as_arrow(&(Arc::new(StringArray::from(vec![Some("a"), None, Some("")])) as ArrayRef));
        as_arrow(&(Arc::new(Date32Array::from(vec![0, 20_000])) as ArrayRef));
        let doubles = [
            0.0,
            -0.0,
            1.0,
            -1.5,
            0.042,
            0.1,
            0.12,
            1e-5,
            9.99e-5,
            1e-4,
            1e-6,
            123.456,
            1e15,
            1e16,
            1e21,
            0.0005,
            999_999_999_999.999,
            f64::MAX,
            f64::MIN_POSITIVE,
            1_076_051_475_588_434.2,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1.0 / 3.0,
            100.0,
            10.01,
            20.10,
        ];
        as_arrow(&(Arc::new(Float64Array::from_iter_values(doubles)) as ArrayRef));
        let instants = [0, -1, 1, 951_782_400_000, 253_402_300_799_999, 253_402_300_800_000, -62_167_219_200_000];
        as_arrow(&(Arc::new(TimestampMillisecondArray::from_iter_values(instants)) as ArrayRef));
        as_arrow(&(Arc::new(TimestampMillisecondArray::from_iter_values(instants).with_timezone("UTC")) as ArrayRef));
        as_arrow(
            &(Arc::new(TimestampMillisecondArray::from_iter_values(instants).with_timezone("+01:00")) as ArrayRef),
        );
        as_arrow(
            &(Arc::new(TimestampNanosecondArray::from_iter_values([0, 1, 1_000, 1_000_000, 999_999_999, -1]))
                as ArrayRef),
        );
    }

    proptest! {
        #[test]
        fn any_double_is_as_arrow_writes_it(bits: u64, thousandths in -1_000_000_000_i32..1_000_000_000) {
            let values = [f64::from_bits(bits), f64::from(thousandths) / 1e3, f64::from(thousandths) / 1e4];
            as_arrow(&(Arc::new(Float64Array::from_iter_values(values)) as ArrayRef));
        }

        #[test]
        fn any_instant_is_as_arrow_writes_it(micros in -62_200_000_000_000_000_i64..254_000_000_000_000_000) {
            let instants = arrow::array::TimestampMicrosecondArray::from_iter_values([micros, micros / 1_000_000 * 1_000_000]);
            as_arrow(&(Arc::new(instants.with_timezone("UTC")) as ArrayRef));
        }

        #[test]
        fn any_integer_is_as_arrow_writes_it(value: i64, short: i16) {
            as_arrow(&(Arc::new(Int64Array::from_iter_values([value, short.into()])) as ArrayRef));
        }
    }
}
