//! The table that the documentation shows.

use std::fmt::Write as _;

use crate::attackers::{Attack, Kind};
use crate::policies::{self, Make};
use crate::scenario::{Tally, run, share};

/// Every attack against every defence. Challenges are casque's alone, so only there the two strengths differ.
#[must_use]
pub fn draw() -> String {
    let mut out = String::from(
        "| | A1: guesses in a day | A2: in hour 1 / 2, of 600,000 | A3: pairs checked, accounts taken | A4: checked, taken | A5: victims get in, known / new browser | refused on a calm day, worst group in any attack | classroom |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (name, make) in policies::all() {
        let strengths: &[(bool, &str)] = if name.starts_with("casque") {
            &[(false, ", no bot passes a challenge"), (true, ", every bot passes every challenge")]
        } else {
            &[(false, "")]
        };
        for (solves, told) in strengths {
            let _ = writeln!(out, "| {name}{told} | {} |", row(make, *solves).join(" | "));
        }
    }
    out
}

fn row(make: Make, solves: bool) -> Vec<String> {
    let day = |kind| run(&mut *make(), Some(&Attack { kind, solves }));
    let calm = run(&mut *make(), None);
    let [one, botnet, stuffing, spraying, lock_out] = [Kind::OneBot, Kind::Botnet, Kind::Stuffing, Kind::Spraying, Kind::LockOut].map(day);
    let worst = [&one, &botnet, &stuffing, &spraying, &lock_out].iter().map(|t| t.wrongly_refused().1).fold(0.0, f64::max);
    let checked = |tally: &Tally| format!("{} %, {}", figure(share(tally.checked_in_all(), tally.tried)), tally.taken);
    let got_in = |(all, ok): (u64, u64)| figure(share(ok, all));
    vec![
        thousands(one.checked_in_all()),
        format!("{} / {}", thousands(botnet.checked[12]), thousands(botnet.checked[13])),
        checked(&stuffing),
        checked(&spraying),
        format!("{} / {} %", got_in(lock_out.victim_known), got_in(lock_out.victim_new)),
        format!("{} %, {} %", figure(calm.wrongly_refused().0), figure(worst)),
        format!("{} of {} refused", calm.honest[3].1, calm.honest[3].0),
    ]
}

fn figure(x: f64) -> String {
    let digits = if x == 0.0 || x >= 10.0 { 0 } else { 2 };
    format!("{x:.digits$}")
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
