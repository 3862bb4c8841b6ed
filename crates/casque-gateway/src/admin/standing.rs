//! How clients stand with the limits, as JSON. Pure but for the store.

use casque::clock::{Clock, Micros};
use casque::limit::store::memory::About;
use casque::limit::{Decision, Limit, Part, Subject};
use serde_json::{Value, json};

use super::logins::{Counted, Logins};
use crate::names::{client, client_name, network_name};
use crate::store::LimitStore;

/// What is asked of.
pub(super) struct Asked<'a> {
    pub(super) limits: &'a [&'a Limit],
    pub(super) logins: &'a Logins<'a>,
    pub(super) store: &'a LimitStore,
    pub(super) clock: &'a dyn Clock,
    pub(super) now: Micros,
}

/// What is counted of somebody: by a limit, about something, under a subject.
struct Entry<'a> {
    limit: &'a Limit,
    about: About,
    subject: Subject,
    /// Of a client: what it does without the header fields or cookies that are looked at.
    without: bool,
}

/// The `n` that were refused most, and how they stand now. Of 256 that are kept.
pub(super) fn top(asked: &Asked<'_>, n: usize) -> Value {
    let rows: Vec<Value> = asked
        .store
        .memory()
        .top(n)
        .into_iter()
        .map(|offender| {
            let (refused, ago) = (offender.refused, asked.now.since(offender.last).as_secs());
            let entry = asked.limits.iter().find_map(|limit| {
                About::of(&offender.key, limit.id()).map(|about| Entry { limit, about, subject: offender.key.subject, without: false })
            });
            match entry {
                Some(entry) => {
                    let mut row = row(asked, &entry, asked.standing(&entry));
                    row["refused"] = refused.into();
                    row["last-seconds-ago"] = ago.into();
                    row
                }
                None => {
                    let subject = offender.key.subject;
                    let mut row = match asked.logins.find(&offender.key) {
                        Some(login) => login_row(asked, login, subject, &login.name(subject, key_name)),
                        // Of a limit that the policy does not have any more.
                        None => json!({ "limit": null, "who": key_name(subject) }),
                    };
                    row["refused"] = refused.into();
                    row["last-seconds-ago"] = ago.into();
                    row
                }
            }
        })
        .collect();
    json!({ "refused-most": rows })
}

/// How somebody stands with each limit.
pub(super) fn explain(asked: &Asked<'_>, who: &str) -> Value {
    let (mut rows, mut not_known) = (Vec::new(), Vec::new());
    for limit in asked.limits.iter().filter(|l| !l.is_off()) {
        match entries(limit, who) {
            Ok(entries) => rows.extend(entries.iter().map(|entry| row(asked, entry, asked.standing(entry)))),
            Err(why) => not_known.push(json!({ "limit": limit.name(), "why": why })),
        }
    }
    for login in asked.logins.iter() {
        match login.subject(who) {
            Some(subject) => rows.push(login_row(asked, login, subject, who)),
            None => not_known.push(json!({ "limit": login.limit.name(), "why": format!("it counts by {}", login.counts.word()) })),
        }
    }
    json!({ "who": who, "limits": rows, "not-known": not_known })
}

/// Forgets what somebody did, or with no name all that are listed; under one limit, or all.
///
/// # Errors
/// What is missing, or not known.
pub(super) fn unblock(asked: &Asked<'_>, who: Option<&str>, limit: Option<&str>) -> Result<Value, String> {
    let all = || asked.limits.iter().copied().chain(asked.logins.iter().map(|login| login.limit));
    if let Some(name) = limit.filter(|name| all().all(|l| l.name() != *name)) {
        let known: Vec<&str> = all().map(Limit::name).collect();
        return Err(format!("no limit is called `{name}`; there are {}", known.join(", ")));
    }
    let limits = asked.limits.iter().filter(|l| limit.is_none_or(|name| l.name() == name));
    let found: Vec<Entry<'_>> = match (who, limit) {
        (Some(who), _) => limits.filter_map(|limit| entries(limit, who).ok()).flatten().collect(),
        (None, Some(_)) => {
            let listed = asked.store.memory().top(usize::MAX);
            let of = |limit: &'_ &'_ Limit| -> Vec<(About, Subject)> {
                listed.iter().filter_map(|o| About::of(&o.key, limit.id()).map(|about| (about, o.key.subject))).collect()
            };
            limits.flat_map(|limit| of(limit).into_iter().map(|(about, subject)| Entry { limit, about, subject, without: false })).collect()
        }
        (None, None) => return Err("say whom to unblock, or of which limit".to_owned()),
    };
    let mut unblocked = Vec::new();
    for entry in &found {
        let before = asked.standing(entry);
        // Who is listed for what is long over is taken off the list, but there is nothing to unblock.
        let after = asked.store.pardon(entry.about, entry.limit.id(), entry.limit.budget(asked.clock), entry.subject, asked.now);
        if !before.reset_after.is_zero() {
            let mut row = row(asked, entry, after);
            row["was-refused"] = (!before.allowed).into();
            unblocked.push(row);
        }
    }
    for login in asked.logins.iter().filter(|login| limit.is_none_or(|name| login.limit.name() == name)) {
        let listed = || asked.store.memory().top(usize::MAX).into_iter().map(|o| o.key);
        let subjects: Vec<Subject> = match who {
            Some(who) => login.subject(who).into_iter().collect(),
            None => listed().filter(|key| key.limit == login.limit.id()).map(|key| key.subject).collect(),
        };
        for subject in subjects {
            let before = asked.login_standing(login, subject);
            let budget = login.limit.budget(asked.clock);
            asked.store.pardon(About::Requests, login.limit.id(), budget, subject, asked.now);
            if !before.reset_after.is_zero() {
                let mut row = login_row(asked, login, subject, &who.map_or_else(|| login.name(subject, key_name), str::to_owned));
                row["was-refused"] = (!before.allowed).into();
                unblocked.push(row);
            }
        }
    }
    Ok(json!({ "unblocked": unblocked }))
}

impl Asked<'_> {
    fn login_standing(&self, login: &Counted<'_>, subject: Subject) -> Decision {
        let (id, budget) = (login.limit.id(), login.limit.budget(self.clock));
        self.store.memory().standing(About::Requests, id, budget, subject, self.now)
    }

    fn standing(&self, entry: &Entry<'_>) -> Decision {
        self.store.memory().standing(entry.about, entry.limit.id(), entry.limit.budget(self.clock), entry.subject, self.now)
    }
}

/// What is counted of somebody under a limit: of a client what it does and what it makes up, of a name what is done under it.
fn entries<'a>(limit: &'a Limit, who: &str) -> Result<Vec<Entry<'a>>, &'static str> {
    let by = limit.count_by();
    let only = |part: &Part| matches!(by.parts(), [one] if one == part);
    let entry = |about, subject| Entry { limit, about, subject, without: about == About::Requests && by.needs_headers() };
    if let Some(client) = client(who) {
        let made_up = by.parts().iter().any(|part| !matches!(part, Part::Client | Part::Network | Part::Method));
        let mut entries: Vec<Entry<'a>> = by.of_client(client).map(|subject| entry(About::Requests, subject)).into_iter().collect();
        if made_up {
            entries.extend([About::MadeUp, About::KeysBegun].map(|about| entry(about, Subject::client(client))));
        }
        return if entries.is_empty() { Err("it counts by what an address does not tell") } else { Ok(entries) };
    }
    if only(&Part::Client) || only(&Part::Network) {
        return Err("it counts by address");
    }
    let subject = match who.strip_prefix(KEY) {
        Some(hex) => subject_of(hex).ok_or("that is no key as it is listed"),
        None => by.of_value(who).ok_or("it counts by more than one name"),
    };
    subject.map(|subject| vec![Entry { without: false, ..entry(About::Requests, subject) }])
}

fn row(asked: &Asked<'_>, entry: &Entry<'_>, decision: Decision) -> Value {
    let limit = entry.limit;
    let about = match entry.about {
        About::Requests if entry.without => "requests-without-it",
        About::Requests => "requests",
        About::MadeUp => "requests-under-made-up-keys",
        About::KeysBegun => "keys-begun",
    };
    json!({
        "limit": limit.name(),
        "quota": limit.quota().to_string(),
        "mode": if limit.is_enforced() { "enforce" } else { "shadow" },
        "counted-by": limit.count_by().parts().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "about": about,
        "who": name(entry),
        "allowed": decision.allowed,
        "blocked": decision.blocked,
        "remaining": decision.remaining,
        "of": if entry.about == About::KeysBegun { Value::Null } else { limit.budget(asked.clock).burst().into() },
        "retry-after": decision.retry_after.map(|wait| wait.as_secs_f64()),
        "reset-after": decision.reset_after.as_secs_f64(),
    })
}

/// How somebody stands with a guard of log-ins.
fn login_row(asked: &Asked<'_>, login: &Counted<'_>, subject: Subject, who: &str) -> Value {
    let decision = asked.login_standing(login, subject);
    json!({
        "limit": login.limit.name(),
        "quota": login.limit.quota().to_string(),
        "mode": if login.limit.name().starts_with("login-shadow:") { "shadow" } else { "enforce" },
        "counted-by": [login.counts.word()],
        "about": "requests",
        "who": who,
        "allowed": decision.allowed,
        "blocked": decision.blocked,
        "remaining": decision.remaining,
        "of": login.limit.budget(asked.clock).burst(),
        "retry-after": decision.retry_after.map(|wait| wait.as_secs_f64()),
        "reset-after": decision.reset_after.as_secs_f64(),
    })
}

/// What a subject that cannot be read back is listed as.
const KEY: &str = "key:";

fn name(entry: &Entry<'_>) -> String {
    let bytes = *entry.subject.as_bytes();
    match (entry.about, entry.limit.count_by().parts()) {
        // Those who make up keys are clients.
        (About::MadeUp | About::KeysBegun, _) | (_, [Part::Client]) => client_name(bytes),
        (_, [Part::Network]) => network_name(bytes),
        _ => key_name(entry.subject),
    }
}

fn key_name(subject: Subject) -> String {
    subject.as_bytes().iter().fold(KEY.to_owned(), |name, byte| name + &format!("{byte:02x}"))
}

fn subject_of(hex: &str) -> Option<Subject> {
    let number = u128::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some(Subject::from_bytes(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use casque::clock::ManualClock;
    use casque::limit::{Charge, CountBy, Key, Mode, Quota, Store as _};
    use casque::login::{LoginPolicy, Secrets};

    use super::*;

    struct World {
        limits: Vec<Limit>,
        logins: Vec<LoginPolicy>,
        store: LimitStore,
        clock: ManualClock,
    }

    impl World {
        fn new() -> Self {
            let by = |part: &str| CountBy::new([Part::parse(part).unwrap()]);
            let limits = vec![
                Limit::new("client", Quota::per_minute(2)),
                Limit::new("net", Quota::per_hour(5).strict()).by(by("network")).mode(Mode::Shadow),
                Limit::new("api", Quota::per_hour(3)).by(by("header:x-api-key")),
                Limit::new("paths", Quota::daily(3)).by(CountBy::new([Part::Client, Part::Path])),
                Limit::new("none", Quota::per_hour(1)).mode(Mode::Off),
            ];
            Self { limits, logins: Vec::new(), store: LimitStore::with_capacity(4096), clock: ManualClock::at(Micros(1_000_000_000)) }
        }

        fn ask<R>(&self, ask: impl FnOnce(&Asked<'_>) -> R) -> R {
            let limits: Vec<&Limit> = self.limits.iter().collect();
            ask(&Asked {
                limits: &limits,
                logins: &Logins::of(self.logins.iter()),
                store: &self.store,
                clock: &self.clock,
                now: self.clock.now(),
            })
        }

        fn charge(&self, limit: usize, subject: Subject, creator: Option<Subject>, times: u32) {
            self.charge_to(&self.limits[limit], subject, creator, times);
        }

        fn charge_to(&self, limit: &Limit, subject: Subject, creator: Option<Subject>, times: u32) {
            for _ in 0..times {
                let key = Key { limit: limit.id(), subject };
                let charge = Charge { key, budget: limit.budget(&self.clock), cost: 1, advisory: false, creator };
                self.store.memory().charge(&[charge], self.clock.now()).into_inner().unwrap();
            }
        }
    }

    fn alice() -> casque::client_ip::ClientIp {
        client("2001:db8::7").unwrap()
    }

    #[test]
    fn what_the_guard_of_log_ins_counts_is_told_and_ended() {
        let logins = vec![LoginPolicy::standard(Secrets::random([7; 32]))];
        let world = World { logins, ..World::new() };
        let policy = &world.logins[0];
        let limit = |name: &str| policy.limits().find(|(l, _)| l.name() == name).unwrap().0;
        world.charge_to(limit("login:login:account"), policy.subject("bob@example.org").unwrap(), None, 9);
        world.charge_to(limit("login:login:source"), Subject::client(alice()), None, 30);
        let row = |told: &Value, name: &str| told["limits"].as_array().unwrap().iter().find(|r| r["limit"] == name).cloned();
        let told = world.ask(|asked| explain(asked, " BOB@example.org"));
        let account = row(&told, "login:login:account").unwrap();
        assert_eq!((&account["allowed"], &account["counted-by"]), (&json!(false), &json!(["account"])));
        assert_eq!(row(&told, "login:login:source"), None, "a name is no address");
        let told = world.ask(|asked| explain(asked, "2001:db8::7"));
        assert_eq!(row(&told, "login:login:source").unwrap()["allowed"], json!(false));
        let told = world.ask(|asked| top(asked, 5));
        assert_eq!(told["refused-most"][0]["who"], "2001:db8::/64", "{told}");
        let done = world.ask(|asked| unblock(asked, Some("bob@example.org"), None)).unwrap();
        assert_eq!(done["unblocked"].as_array().unwrap().len(), 1, "{done}");
        assert_eq!(done["unblocked"][0]["was-refused"], json!(true));
        let done = world.ask(|asked| unblock(asked, None, Some("login:login:source"))).unwrap();
        assert_eq!(done["unblocked"][0]["who"], "2001:db8::/64", "{done}");
        assert_eq!(world.ask(|asked| top(asked, 5))["refused-most"], json!([]));
    }

    #[test]
    fn a_client_is_told_of_by_every_limit_that_can_tell() {
        let world = World::new();
        world.charge(0, Subject::client(alice()), None, 3);
        world.charge(1, Subject::network(alice()), None, 1);
        let told = world.ask(|asked| explain(asked, "2001:db8::99"));
        let rows: Vec<_> = told["limits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| format!("{} {} {} {} {}", r["limit"], r["mode"], r["about"], r["who"], r["remaining"]))
            .collect();
        assert_eq!(
            rows,
            [
                "\"client\" \"enforce\" \"requests\" \"2001:db8::/64\" 0",
                "\"net\" \"shadow\" \"requests\" \"2001:db8::/48\" 4",
                &format!(
                    "\"api\" \"enforce\" \"requests-without-it\" \"{}\" 3",
                    key_name(world.limits[2].count_by().of_client(alice()).unwrap())
                ),
                "\"api\" \"enforce\" \"requests-under-made-up-keys\" \"2001:db8::/64\" 3",
                "\"api\" \"enforce\" \"keys-begun\" \"2001:db8::/64\" 100",
                "\"paths\" \"enforce\" \"requests-under-made-up-keys\" \"2001:db8::/64\" 3",
                "\"paths\" \"enforce\" \"keys-begun\" \"2001:db8::/64\" 100",
            ]
        );
        assert_eq!((&told["limits"][0]["retry-after"], &told["limits"][0]["of"]), (&json!(30.0), &json!(2)));
    }

    #[test]
    fn a_name_is_told_of_by_the_limits_that_count_it() {
        let world = World::new();
        let key = world.limits[2].count_by().of_value("k1").unwrap();
        world.charge(2, key, Some(Subject::client(alice())), 4);
        for who in ["k1", " k1 ", &key_name(key)] {
            let told = world.ask(|asked| explain(asked, who));
            assert_eq!((&told["limits"][0]["limit"], &told["limits"][0]["remaining"]), (&json!("api"), &json!(0)), "{who}");
            assert_eq!(told["not-known"][0], json!({ "limit": "client", "why": "it counts by address" }));
        }
        for odd in ["key:", "key:zz", "key:+0000000000000000000000000000000", "\0", "🦀"] {
            let _ = world.ask(|asked| explain(asked, odd));
        }
        let listed = world.ask(|asked| top(asked, 5));
        assert_eq!((&listed["refused-most"][0]["who"], &listed["refused-most"][0]["refused"]), (&json!(key_name(key)), &json!(1)));
    }

    #[test]
    fn who_is_unblocked_is_as_good_as_new_and_nobody_else_is() {
        let world = World::new();
        let (alice, bob) = (Subject::client(alice()), Subject::client(client("192.0.2.1").unwrap()));
        for who in [alice, bob] {
            world.charge(0, who, None, 3);
        }
        let done = world.ask(|asked| unblock(asked, Some("2001:db8::7"), None)).unwrap();
        let rows = done["unblocked"].as_array().unwrap();
        assert_eq!(
            (rows.len(), &rows[0]["limit"], &rows[0]["remaining"], &rows[0]["was-refused"]),
            (1, &json!("client"), &json!(2), &json!(true))
        );
        assert_eq!(world.ask(|asked| top(asked, 5))["refused-most"][0]["who"], "192.0.2.1");
        assert_eq!(world.ask(|asked| unblock(asked, Some("2001:db8::7"), None)).unwrap()["unblocked"], json!([]));
        assert_eq!(world.ask(|asked| unblock(asked, Some("192.0.2.1"), Some("net"))).unwrap()["unblocked"], json!([]));
        let all = world.ask(|asked| unblock(asked, None, Some("client"))).unwrap();
        assert_eq!(all["unblocked"][0]["who"], "192.0.2.1");
        assert!(world.ask(|asked| unblock(asked, None, Some("cleint"))).unwrap_err().contains("there are client, net"));
        assert!(world.ask(|asked| unblock(asked, None, None)).is_err());
    }

    #[test]
    fn what_the_policy_does_not_have_any_more_is_listed_without_a_name() {
        let mut world = World::new();
        world.charge(0, Subject::client(alice()), None, 3);
        world.limits.clear();
        let listed = world.ask(|asked| top(asked, 5));
        assert_eq!((&listed["refused-most"][0]["limit"], &listed["refused-most"][0]["refused"]), (&Value::Null, &json!(1)));
    }
}
