//! The table that the documentation shows.

use std::fmt::Write as _;

use crate::attackers::{Attack, Kind};
use crate::flood::Flooded;
use crate::policies::{self, Make};
use crate::scenario::{Tally, run, share};

/// Every attack against every defence. Challenges are casque's alone, so only there the two strengths differ.
#[must_use]
pub fn draw() -> String {
    let mut out = String::from(
        "| | A1: guesses in a day | A2: in hour 1 / 2, of 600,000 | A3: pairs checked, accounts taken | A4: checked, taken | A5: victims get in, known / new browser | the same, scattered | refused on a calm day, worst group in any attack | classes refused | honest tries that met a challenge, calm and at worst |\n|---|---|---|---|---|---|---|---|---|---|\n",
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

/// The flood in one paragraph.
#[must_use]
pub fn draw_flood(strangers: u32, entries: usize, came: Flooded) -> String {
    let grew = came.grew.map_or_else(|| "could not be read".to_owned(), |kib| format!("grew by {} MiB", kib / 1024));
    format!(
        "\nA7: {} strangers on a table for {} keys: memory {grew}; {} of them were looked at; the account at its limit got {} more guesses, the source at its limit {}.\n",
        thousands(u64::from(strangers)),
        thousands(entries as u64),
        thousands(came.reached),
        came.account_forgotten,
        came.source_forgotten,
    )
}

fn row(make: Make, solves: bool) -> Vec<String> {
    let day = |kind| run(&mut *make(), Some(&Attack { kind, solves }));
    let calm = run(&mut *make(), None);
    let attacked = [Kind::OneBot, Kind::Botnet, Kind::Stuffing, Kind::Spraying, Kind::LockOut, Kind::LockOutScattered].map(day);
    let worst = |of: fn(&Tally) -> f64| attacked.iter().map(of).fold(0.0, f64::max);
    let challenged: fn(&Tally) -> f64 = |tally| share(tally.challenged.1, tally.challenged.0);
    let (refused_at_worst, challenged_at_worst) = (worst(|t| t.wrongly_refused().1), worst(challenged));
    let [one, botnet, stuffing, spraying, lock_out, scattered] = &attacked;
    let checked = |tally: &Tally| format!("{} %, {}", figure(share(tally.checked_in_all(), tally.tried)), tally.taken);
    let got_in = |(all, ok): (u64, u64)| figure(share(ok, all));
    let victims = |tally: &Tally| format!("{} / {} %", got_in(tally.victim_known), got_in(tally.victim_new));
    vec![
        thousands(one.checked_in_all()),
        format!("{} / {}", thousands(botnet.checked[12]), thousands(botnet.checked[13])),
        checked(stuffing),
        checked(spraying),
        victims(lock_out),
        victims(scattered),
        format!("{} %, {} %", figure(calm.wrongly_refused().0), figure(refused_at_worst)),
        format!("{} %", figure(share(calm.honest[3].1, calm.honest[3].0))),
        format!("{} %, {} %", figure(challenged(&calm)), figure(challenged_at_worst)),
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
