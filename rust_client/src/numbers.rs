//! Number and time texts to integers, exactly.

#![forbid(unsafe_code)]

use std::fmt::{Display, Formatter, Result};

use crate::json::Cursor;

/// More decimals than any pair has; 10^18 still fits a u64.
pub const DECIMALS_MAX: u32 = 18;

/// A number's text as an integer and its count of decimals: `0.0500` is 500 and 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    pub mantissa: u64,
    pub decimals: u32,
}

impl Display for Number {
    /// Writes the number with its decimals, as on the wire.
    fn fmt(&self, f: &mut Formatter) -> Result {
        let digits = format!("{:0width$}", self.mantissa, width = self.decimals as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.decimals as usize);
        if fraction.is_empty() { f.write_str(whole) } else { write!(f, "{whole}.{fraction}") }
    }
}

/// An integer of digits, checked by the caller to be digits; None if no u64 holds it.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

/// The number that `text` writes, exactly; None if it is negative, no JSON number, or too large or too fine.
pub fn number(text: &[u8]) -> Option<Number> {
    let whole = Cursor::new(text).number_text().ok()?;
    if whole.len() != text.len() || text[0] == b'-' {
        return None;
    }
    let (mut mantissa, mut fraction, mut in_fraction) = (0u64, 0i32, false);
    let mut rest = text.iter();
    let mut exponent = 0;
    while let Some(byte) = rest.next() {
        match byte {
            b'.' => in_fraction = true,
            b'e' | b'E' => {
                exponent = small_exponent(rest.as_slice())?;
                break;
            }
            digit => {
                mantissa = mantissa.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
                fraction = fraction.checked_add(i32::from(in_fraction))?;
            }
        }
    }
    let decimals = fraction.checked_sub(exponent)?;
    if let Ok(decimals) = u32::try_from(decimals) {
        return (decimals <= DECIMALS_MAX).then_some(Number { mantissa, decimals });
    }
    if mantissa != 0 {
        mantissa = mantissa.checked_mul(10u64.checked_pow(decimals.unsigned_abs())?)?;
    }
    Some(Number { mantissa, decimals: 0 })
}

fn small_exponent(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    if digits.len() > 3 {
        return None;
    }
    Some(sign * i32::try_from(decimal(digits)?).ok()?)
}

/// ns since the epoch of `2023-07-30T15:29:58.343415Z`.
pub fn rfc3339_ns(text: &[u8]) -> Option<u64> {
    let (head, tail) = text.split_at_checked(19)?;
    let field = |from: usize, to: usize| -> Option<u64> {
        let digits = &head[from..to];
        digits.iter().all(u8::is_ascii_digit).then(|| decimal(digits))?
    };
    if [head[4], head[7], head[10], head[13], head[16]] != *b"--T::" {
        return None;
    }
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=2500).contains(&year) || day < 1 || day > days_in_month {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since 1970-01-01, counting years from March so that the leap day comes last.
    let (shifted, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + (months * 153 + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    let nanos = match tail {
        b"Z" => 0,
        [b'.', fraction @ .., b'Z'] => fraction_ns(fraction)?,
        _ => return None,
    };
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// ns since the epoch of `1693415327.935623`.
pub fn unix_ns(text: &[u8]) -> Option<u64> {
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = parts.next()?;
    if !(1..=10).contains(&seconds.len()) || !seconds.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let nanos = parts.next().map_or(Some(0), fraction_ns)?;
    decimal(seconds)?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

fn fraction_ns(digits: &[u8]) -> Option<u64> {
    if !(1..=9).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let missing = u32::try_from(9 - digits.len()).ok()?;
    decimal(digits)?.checked_mul(10u64.pow(missing))
}
