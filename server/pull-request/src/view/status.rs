//! How old things are, in words.

use crate::model::Timestamp;

/// `just now`, `5 minutes ago`, `2 hours ago`, `3 days ago`, `4 weeks ago`, `5 months ago`, `2 years ago`.
///
/// A time to come is `just now` too: clocks differ.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    const UNITS: [(i64, i64, &str); 6] = [
        // From how many seconds on, the seconds in one, its name.
        (2 * 365 * DAY, 365 * DAY, "year"),
        (60 * DAY, 30 * DAY, "month"),
        (14 * DAY, 7 * DAY, "week"),
        (DAY, DAY, "day"),
        (60 * 60, 60 * 60, "hour"),
        (60, 60, "minute"),
    ];
    const DAY: i64 = 24 * 60 * 60;
    let seconds = now.0.saturating_sub(then.0);
    let Some((_, unit, name)) = UNITS.into_iter().find(|(from, ..)| seconds >= *from) else {
        return "just now".into();
    };
    let number = seconds / unit;
    format!("{number} {name}{} ago", if number == 1 { "" } else { "s" })
}

/// How fresh what is shown is: `as of 5 minutes ago`, and whether there is no way to Bitbucket now.
pub fn as_of(now: Timestamp, then: Timestamp, is_offline: bool) -> String {
    format!("as of {}{}", age(now, then), if is_offline { ", offline" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        const DAY: i64 = 24 * 60 * 60;
        let cases = [
            (i64::MIN, "just now"),
            (-DAY, "just now"),
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (DAY - 1, "23 hours ago"),
            (DAY, "1 day ago"),
            (13 * DAY, "13 days ago"),
            (14 * DAY, "2 weeks ago"),
            (59 * DAY, "8 weeks ago"),
            (60 * DAY, "2 months ago"),
            (729 * DAY, "24 months ago"),
            (730 * DAY, "2 years ago"),
            (i64::MAX, "292471208677 years ago"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(age(Timestamp(seconds), Timestamp(0)), expected);
        }
        assert_eq!(age(Timestamp(i64::MIN), Timestamp(i64::MAX)), "just now");
        assert_eq!(as_of(Timestamp(600), Timestamp(300), false), "as of 5 minutes ago");
        assert_eq!(as_of(Timestamp(600), Timestamp(300), true), "as of 5 minutes ago, offline");
    }
}
