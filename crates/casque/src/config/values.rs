//! Durations, sizes and rates as people write them.

use std::time::Duration;

/// Reads `"10s"`, `"500ms"`, `"1m"`, `"2h"`, `"400d"`, and sums such as `"1m30s"`.
///
/// # Errors
/// What would have been right, as a sentence fragment.
pub fn duration(text: &str) -> Result<Duration, String> {
    const HELP: &str = "write a number and a unit: \"500ms\", \"10s\", \"5m\", \"2h\" or \"7d\"";
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(HELP.to_owned());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(letters);
        let number: u64 = number.parse().map_err(|_| HELP.to_owned())?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(HELP.to_owned()),
        };
        total = number
            .checked_mul(millis)
            .and_then(|ms| total.checked_add(Duration::from_millis(ms)))
            .ok_or("this is longer than anything can last")?;
        rest = next.trim_start();
    }
    if total > Duration::from_secs(100 * 366 * 86_400) {
        return Err("this is more than a hundred years".to_owned());
    }
    Ok(total)
}

/// Reads `"64KiB"`, `"10MB"`, `"512"` (bytes). Units of 1024 are written KiB, MiB, GiB; of 1000, KB, MB, GB.
///
/// # Errors
/// What would have been right, as a sentence fragment.
pub fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KB" | "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("write bytes with a unit: \"512B\", \"64KiB\", \"10MB\" or \"2GiB\"".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "write bytes with a unit: \"512B\", \"64KiB\", \"10MB\" or \"2GiB\"".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "this is more bytes than there are".to_owned())
}

/// Reads `"20/1m"`: so many per duration. `"20/m"` is the same.
///
/// # Errors
/// What would have been right, as a sentence fragment.
pub fn rate(text: &str) -> Result<(u32, Duration), String> {
    const HELP: &str = "write so many per time: \"100/1s\", \"20/1m\" or \"1000/1h\"";
    let (number, window) = text.split_once('/').ok_or_else(|| HELP.to_owned())?;
    let number: u32 = number.trim().parse().map_err(|_| HELP.to_owned())?;
    let window = window.trim();
    let window = if window.starts_with(|c: char| c.is_ascii_digit()) { duration(window) } else { duration(&format!("1{window}")) };
    let window = window.map_err(|_| HELP.to_owned())?;
    if number == 0 || window.is_zero() {
        return Err("both numbers must be at least 1".to_owned());
    }
    if u128::from(number) > window.as_micros() {
        return Err("at most one per microsecond can be counted".to_owned());
    }
    Ok((number, window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h 1ms"), Ok(Duration::from_millis(3_600_001)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        for bad in ["", "10", "s", "10 seconds", "-1s", "1.5s", "99999999999999999999s", "200000d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("512"), Ok(512));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("10 MB"), Ok(10_000_000));
        for bad in ["", "KiB", "64kib", "-1", "1.5MB", "99999999999GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rates() {
        assert_eq!(rate("20/1m"), Ok((20, Duration::from_secs(60))));
        assert_eq!(rate("100/s"), Ok((100, Duration::from_secs(1))));
        assert_eq!(rate("1000000/1s"), Ok((1_000_000, Duration::from_secs(1))));
        for bad in ["", "20", "0/1s", "20/0s", "x/1s", "20/1x", "-1/1s", "10000000/1s"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_written_there_panics(text in "\\PC{0,24}") {
            let _ = (duration(&text), size(&text), rate(&text));
        }
    }
}
