//! When a message was sent and received, for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How much of the time is shown; the number of `-t` on the command line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Times {
    /// Nothing.
    #[default]
    Hidden,
    /// `-t`: the time of day, after the text.
    Clock,
    /// `-tt`: date and time of day, after the text.
    Date,
    /// `-ttt`: date, time of day and distance from UTC, before the text.
    Zone,
}

impl Times {
    /// What so many `-t` ask for; more than three are as three.
    pub fn of_count(count: u8) -> Self {
        match count {
            0 => Self::Hidden,
            1 => Self::Clock,
            2 => Self::Date,
            _ => Self::Zone,
        }
    }

    /// `sent …, received …` in that zone.
    pub(super) fn show(self, sent_us: u64, received_us: u64, zone: &TimeZone) -> Option<String> {
        let form = match self {
            Self::Hidden => return None,
            Self::Clock => "%H:%M:%S%.3f",
            Self::Date => "%Y-%m-%d %H:%M:%S%.3f",
            Self::Zone => "%Y-%m-%d %H:%M:%S%.3f %:z",
        };
        let (sent, received) = (moment(sent_us, form, zone), moment(received_us, form, zone));
        Some(format!("sent {sent}, received {received}"))
    }
}

/// A moment in that form. An author may claim any number; one beyond the calendar is `never`.
fn moment(micros: u64, form: &str, zone: &TimeZone) -> String {
    i64::try_from(micros)
        .ok()
        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
        .map_or_else(
            || "never".to_owned(),
            |moment| moment.to_zoned(zone.clone()).strftime(form).to_string(),
        )
}
