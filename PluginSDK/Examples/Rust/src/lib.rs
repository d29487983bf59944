//! Leave on time: works backwards from an appointment, and remembers how long ways take.
//!
//! SPDX-License-Identifier: Apache-2.0
#[path = "../../../Rust/tandem.rs"]
mod tandem;

use tandem::{json, Call, Host, Outcome, Plugin, Status};

struct Leave;

/// Minutes to get ready when the person says nothing else.
const READY: i64 = 15;

impl Plugin for Leave {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn new(_host: Host) -> Result<Self, Status> {
        Ok(Leave)
    }

    fn call(&self, call: &Call) -> Outcome {
        let answer = match call.tool.as_str() {
            "leave.plan" => plan(call),
            "leave.remember" => remember(call),
            "leave.ways" => ways(call),
            _ => return Outcome::unsupported(),
        };
        if call.is_cancelled() {
            return Outcome::cancelled();
        }
        answer.unwrap_or_else(|status| Outcome::error(status, "notebook", "I could not look into my notes just now."))
    }
}

/// "The Dentist " and "the dentist" are the same place.
fn key(place: &str) -> String {
    let words: Vec<String> = place.split_whitespace().map(str::to_lowercase).collect();
    let text: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    format!("way/{}", text)
}

fn remembered(call: &Call, place: &str) -> Result<Option<i64>, Status> {
    let value = call.get(&key(place))?;
    Ok(value.and_then(|bytes| std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok())))
}

fn plan(call: &Call) -> Result<Outcome, Status> {
    let arrive = match call.argument("arrive").as_str().and_then(instant) {
        Some(arrive) => arrive,
        None => return Ok(Outcome::error(Status::INVALID_ARGUMENT, "no_time", "At what time do you have to be there?")),
    };
    let place = call.argument("place").as_str().unwrap_or("");
    let known = if place.trim().is_empty() { None } else { remembered(call, place)? };
    let minutes = match call.argument("minutes").as_i64().or(known) {
        Some(minutes) => minutes,
        None => match call.answer("minutes").and_then(|answer| answer.as_i64()) {
            Some(minutes) if (0..=1440).contains(&minutes) => minutes,
            _ => return Ok(Outcome::question("minutes", "How many minutes does the way take?")),
        },
    };
    let ready = call.argument("ready").as_i64().unwrap_or(READY);
    let leave = arrive - minutes * 60_000;
    let start = leave - ready * 60_000;
    let message = if start < call.host.now_ms() {
        format!("Leave at {}. That is tight: start now.", clock(call, leave))
    } else {
        format!("Start getting ready at {}, leave at {}.", clock(call, start), clock(call, leave))
    };
    let value = json::object(&[("getReadyAt", json::text(&timestamp(start))), ("leaveAt", json::text(&timestamp(leave)))]);
    Ok(Outcome::value(value, &message))
}

fn remember(call: &Call) -> Result<Outcome, Status> {
    let place = call.argument("place").as_str().unwrap_or("").trim();
    let minutes = match call.argument("minutes").as_i64() {
        Some(minutes) if key(place) != "way/" => minutes,
        _ => return Ok(Outcome::error(Status::INVALID_ARGUMENT, "no_place", "Which way, and how many minutes?")),
    };
    call.set(&key(place), minutes.to_string().as_bytes())?;
    let value = json::object(&[("place", json::text(place)), ("minutes", json::number(minutes as f64))]);
    let message = if place.chars().count() > 40 {
        format!("Noted: that way takes {} minutes.", minutes)
    } else {
        format!("Noted: {} minutes to {}.", minutes, place)
    };
    Ok(Outcome::value(value, &message))
}

fn ways(call: &Call) -> Result<Outcome, Status> {
    let mut found = Vec::new();
    let mut lines = Vec::new();
    for key in call.keys("way/")? {
        if call.is_cancelled() {
            return Ok(Outcome::cancelled());
        }
        let place = key.trim_start_matches("way/");
        if let Some(minutes) = remembered(call, place)? {
            found.push(json::object(&[("place", json::text(place)), ("minutes", json::number(minutes as f64))]));
            lines.push(format!("{}: {} min", place, minutes));
        }
    }
    let message = match lines.len() {
        0 => "I remember no ways yet. Tell me: it takes me 20 minutes to get to work.".to_string(),
        1 => "One way.".to_string(),
        count => format!("{} ways.", count),
    };
    lines.insert(0, message);
    Ok(Outcome::value(json::Value::Array(found), &lines.join("\n")))
}

// ---- Times, without crates ----

/// Milliseconds since 1970 of `2026-11-21T14:30:00.000Z`, or of a day's noon in UTC for `2026-11-21`.
fn instant(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (hour, minute) = if text.len() > 10 { (number(11, 13)?, number(14, 16)?) } else { (12, 0) };
    if hour > 23 || minute > 59 {
        return None;
    }
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60_000)
}

/// Days since 1970 of a date of the proleptic Gregorian calendar (H. Hinnant, "days_from_civil").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + (month <= 2) as i64, month, of_year - (153 * shifted_month + 2) / 5 + 1)
}

fn timestamp(ms: i64) -> String {
    let (minutes, seconds) = (ms.div_euclid(60_000), ms.rem_euclid(60_000) / 1000);
    let (year, month, day) = date(minutes.div_euclid(1440));
    let of_day = minutes.rem_euclid(1440);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z", year, month, day, of_day / 60, of_day % 60, seconds)
}

/// The time where the person lives: `14:05`, with the day when it is another one than today.
fn clock(call: &Call, ms: i64) -> String {
    let local = |ms: i64| ms + call.host.utc_offset_seconds(ms) as i64 * 1000;
    let (then, now) = (local(ms), local(call.host.now_ms()));
    let of_day = then.div_euclid(60_000).rem_euclid(1440);
    let time = format!("{:02}:{:02}", of_day / 60, of_day % 60);
    if then.div_euclid(86_400_000) == now.div_euclid(86_400_000) {
        return time;
    }
    let (_, month, day) = date(then.div_euclid(86_400_000));
    format!("{} on {}/{}", time, day, month)
}

tandem::export!(Leave);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back() {
        for text in ["1970-01-01T00:00:00.000Z", "2026-11-21T14:30:00.000Z", "2028-02-29T23:59:00.000Z"] {
            assert_eq!(instant(text).map(timestamp).as_deref(), Some(text));
        }
        assert_eq!(instant("2026-13-01"), None);
        assert_eq!(instant("tomorrow"), None);
    }

    #[test]
    fn places_are_the_same_however_they_are_written() {
        assert_eq!(key(" The  Dentist"), key("the dentist"));
    }
}
