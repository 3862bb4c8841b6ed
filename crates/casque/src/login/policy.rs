//! Which requests are attempts, and what is done about them.

use std::sync::Arc;

use http::Method;

use super::account::{AccountFields, Name};
use super::budgets::Budgets;
use super::challenge::{Escalation, Vouching};
use super::device::Devices;
use super::guard::{AtOnce, Guard, Rules};
use super::method::Methods;
use super::outcome::Signs;
use super::secret::Secrets;
use super::worry::Worry;
use crate::limit::{LOGIN_PATHS, Limit, Mode, Subject};
use crate::path::{Pattern, Readings};

/// The most bytes of a request's body that are looked at, and of a response's: 64 KiB. No form that takes a password is longer,
/// and what cannot be looked at is refused, for else padding would hide the account.
pub(super) const LOOKED_AT: usize = 64 * 1024;

/// What a client gets whose budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exceeded {
    /// 429 with `Retry-After`: honest to the user.
    #[default]
    TooManyRequests,
    /// 401 without a word of why: an attacker's tool takes it for another wrong password. So does a user with the right one.
    Unauthorized,
}

impl Exceeded {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 2] = [("429", Self::TooManyRequests), ("stealth-401", Self::Unauthorized)];
}

/// One kind of credential that is guarded.
#[derive(Debug, Clone)]
pub struct Login {
    name: String,
    methods: Vec<Method>,
    paths: Vec<Pattern>,
    pub(super) accounts: AccountFields,
    pub(super) signs: Signs,
    pub(super) mode: Mode,
    pub(super) exceeded: Exceeded,
    pub(super) escalation: Option<Escalation>,
    pub(super) devices: Option<Devices>,
    /// The guard whose known browsers these are; none is its own.
    devices_of: Option<String>,
    budgets: Budgets,
    at_once: AtOnce,
}

impl Login {
    /// Guards every `POST` to `paths` (patterns as in [`Pattern`]) with the usual names of account fields, the usual signs of
    /// success and the default budgets. Guards of one name share their counts.
    ///
    /// # Errors
    /// The first pattern that cannot be read.
    pub fn new<P: AsRef<str>>(name: impl Into<String>, paths: impl IntoIterator<Item = P>) -> Result<Self, String> {
        let paths = paths.into_iter().map(|p| Pattern::parse(p.as_ref()).map_err(|e| format!("`{}` {e}", p.as_ref())));
        Ok(Self::of(name, paths.collect::<Result<_, _>>()?))
    }

    /// As [`Login::new`], with patterns that were read already.
    #[must_use]
    pub fn of(name: impl Into<String>, paths: Vec<Pattern>) -> Self {
        Self {
            name: name.into(),
            methods: vec![Method::POST],
            paths,
            accounts: AccountFields::default(),
            signs: Signs::default(),
            mode: Mode::Enforce,
            exceeded: Exceeded::default(),
            escalation: Some(Escalation::default()),
            devices: Some(Devices::default()),
            devices_of: None,
            budgets: Budgets::default(),
            at_once: AtOnce::default(),
        }
    }

    /// The methods of attempts. Default: `POST`.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// Where the account's name is. Default: the names that are usual, in forms, JSON and `Authorization: Basic`.
    #[must_use]
    pub fn accounts(mut self, fields: AccountFields) -> Self {
        self.accounts = fields;
        self
    }

    /// What success and failure look like. Default: see [`Signs::default`].
    #[must_use]
    pub fn signs(mut self, signs: Signs) -> Self {
        self.signs = signs;
        self
    }

    /// How many wrong ones are let through.
    #[must_use]
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
        self
    }

    /// How many attempts the app may be looking at at a time.
    #[must_use]
    pub fn at_once(mut self, at_once: AtOnce) -> Self {
        self.at_once = at_once;
        self
    }

    /// Whether it stops anybody. Default: [`Mode::Enforce`].
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// What a client gets whose budget is used up. Default: [`Exceeded::TooManyRequests`].
    #[must_use]
    pub fn exceeded(mut self, exceeded: Exceeded) -> Self {
        self.exceeded = exceeded;
        self
    }

    /// What a browser that is not known may do where it would be refused, and has to do while failures jump everywhere; `None` is
    /// nothing: it is refused then. Default: a wait, and from the third failure of its address on a proof of work.
    #[must_use]
    pub fn challenges(mut self, escalation: Option<Escalation>) -> Self {
        self.escalation = escalation;
        self
    }

    /// How browsers that logged in are known; `None` gives no device cookies. Default: for 180 days.
    #[must_use]
    pub fn devices(mut self, devices: Option<Devices>) -> Self {
        self.devices = devices;
        self
    }

    /// Makes browsers known to another guard, and knows that one's. For a route on which only an account's owner can succeed, such
    /// as the one behind a reset link: who asked for a link, or registered a name, is not its owner. Default: itself.
    #[must_use]
    pub fn devices_of(mut self, guard: impl Into<String>) -> Self {
        self.devices_of = Some(guard.into());
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The paths, for whoever lists what is guarded.
    #[must_use]
    pub fn paths(&self) -> &[Pattern] {
        &self.paths
    }

    /// Whether it does nothing.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.mode == Mode::Off
    }

    fn rules(&self) -> Rules {
        let builder = Guard::builder(&self.name).budgets(self.budgets).at_once(self.at_once);
        builder.challenges(self.escalation.is_some()).shadow(self.mode == Mode::Shadow).rules()
    }
}

/// What a limit of a guard counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Clients, by address.
    Address,
    /// Networks.
    Network,
    /// Accounts, by name.
    Account,
}

impl Counts {
    /// A word for lists.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "client",
            Self::Network => "network",
            Self::Account => "account",
        }
    }
}

/// The guards of an app, and the secrets behind what they hand out.
#[derive(Debug, Clone)]
pub struct LoginPolicy {
    logins: Vec<(Login, Arc<Rules>)>,
    secrets: Secrets,
    vouching: Option<Vouching>,
    realm: String,
}

impl LoginPolicy {
    /// These guards; the first that takes a request guards it. Those that are off are left out.
    #[must_use]
    pub fn new(logins: impl IntoIterator<Item = Login>, secrets: Secrets) -> Self {
        let on = logins.into_iter().filter(|l| !l.is_off());
        Self { logins: on.map(|login| (login.clone(), Arc::new(login.rules()))).collect(), secrets, vouching: None, realm: String::new() }
    }

    /// Whose accounts these are, where several apps share secrets and store: `ada` of one is not `ada` of another, and who may
    /// register as her there is not known here. Default: empty.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// With the secret by which a page of the operator vouches for browsers; see [`Vouching`].
    #[must_use]
    pub fn vouching(mut self, vouching: Option<Vouching>) -> Self {
        self.vouching = vouching;
        self
    }

    /// What protects an app of which nothing is known: every `POST` to a path that ends like a log-in form's.
    #[must_use]
    pub fn standard(secrets: Secrets) -> Self {
        Self::new(Login::standard(), secrets)
    }

    /// Whether nothing is guarded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logins.is_empty()
    }

    /// The guards.
    pub fn logins(&self) -> impl Iterator<Item = &Login> {
        self.logins.iter().map(|(login, _)| login)
    }

    /// The guards that seem not to fit the app, by what a hundred log-ins under this policy have shown.
    #[must_use]
    pub fn worries(&self) -> Vec<Worry> {
        let of = |(login, rules): &(Login, Arc<Rules>)| {
            let guard = login.name.clone();
            rules.tally.never().map(move |never| Worry { guard: guard.clone(), never }).collect::<Vec<_>>()
        };
        self.logins.iter().flat_map(of).collect()
    }

    /// The guards' limits that an operator can ask about and end: those of addresses, networks and accounts.
    pub fn limits(&self) -> impl Iterator<Item = (&Limit, Counts)> {
        self.logins.iter().flat_map(|(_, rules)| rules.told()).filter_map(|(budget, limit)| match budget {
            "source" | "source-challenged" => Some((limit, Counts::Address)),
            "network" => Some((limit, Counts::Network)),
            "account" | "account-challenged" => Some((limit, Counts::Account)),
            _ => None,
        })
    }

    /// What an account is counted by, in any spelling of its name; `None` if that is no account's name.
    #[must_use]
    pub fn subject(&self, name: &str) -> Option<Subject> {
        Name::read(name.as_bytes()).ok().flatten().map(|name| self.account(&name))
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(super) fn voucher(&self) -> Option<&Vouching> {
        self.vouching.as_ref()
    }

    /// What the guards count an account by.
    pub(super) fn account(&self, name: &Name) -> Subject {
        if self.realm.is_empty() { name.subject() } else { Subject::of([self.realm.as_bytes(), name.subject().as_bytes()]) }
    }

    /// What a browser is known to: this name, to the letter, at this guard. One that has asked for a password reset has not
    /// logged in.
    pub(super) fn device_of(&self, login: &Login, name: &Name) -> Option<Subject> {
        let guard = login.devices_of.as_ref().unwrap_or(&login.name);
        name.spelling().map(|spelling| Subject::of([self.realm.as_bytes(), guard.as_bytes(), spelling.as_bytes()]))
    }

    pub(super) fn get(&self, index: usize) -> &(Login, Arc<Rules>) {
        &self.logins[index]
    }

    /// Which guard takes a request.
    pub(super) fn which(&self, asked: &Methods<'_>, path: &str) -> Option<usize> {
        let mut readings = None;
        let mut takes = |login: &Login| {
            asked.any(&login.methods) && {
                let readings = readings.get_or_insert_with(|| Readings::of(path));
                login.paths.iter().any(|p| p.matches_any(readings))
            }
        };
        self.logins.iter().position(|(login, _)| takes(login))
    }
}

impl Login {
    /// See [`LoginPolicy::standard`].
    #[must_use]
    pub fn standard() -> Option<Self> {
        Self::new("login", LOGIN_PATHS).ok()
    }
}
