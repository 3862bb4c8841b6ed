//! Which requests a limit counts.

use http::Method;

use super::budget::Budget;
use super::count_by::CountBy;
use super::fields::{Fields, FieldsWhen};
use super::quota::Quota;
use crate::clock::Clock;
use crate::path::{Pattern, Readings};

/// Whether a limit refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Refuse what exceeds it.
    #[default]
    Enforce,
    /// Count, and say what would have been refused; let everything through. Its state is kept apart from the enforced one.
    Shadow,
    /// Do nothing.
    Off,
}

impl Mode {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 3] = [("enforce", Self::Enforce), ("shadow", Self::Shadow), ("off", Self::Off)];
}

/// One limit: a name, a quota, the requests it is for and what it counts them by.
#[derive(Debug, Clone)]
pub struct Limit {
    name: String,
    id: u64,
    quota: Quota,
    /// The budget, unless it follows the calendar.
    fixed: Option<Budget>,
    methods: Vec<Method>,
    paths: Vec<Pattern>,
    count_by: CountBy,
    mode: Mode,
    fields: Option<Fields>,
    fields_when: Option<FieldsWhen>,
}

impl Limit {
    /// A limit on every request. The name appears in the `RateLimit` fields, in logs and in the state's keys, so limits with
    /// the same name share their state.
    #[must_use]
    pub fn new(name: impl Into<String>, quota: Quota) -> Self {
        let name = name.into();
        let id = fnv1a(name.as_bytes());
        Self {
            name,
            id,
            quota,
            fixed: quota.fixed_budget(),
            methods: Vec::new(),
            paths: Vec::new(),
            count_by: CountBy::default(),
            mode: Mode::Enforce,
            fields: None,
            fields_when: None,
        }
    }

    /// Counts these methods only. Default: all.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// Counts these paths only; patterns as in [`Pattern`]. Default: all.
    ///
    /// # Errors
    /// The first pattern that cannot be read.
    pub fn paths<P: AsRef<str>>(mut self, patterns: impl IntoIterator<Item = P>) -> Result<Self, String> {
        self.paths = patterns
            .into_iter()
            .map(|p| Pattern::parse(p.as_ref()).map_err(|e| format!("`{}` {e}", p.as_ref())))
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Counts these patterns only.
    #[must_use]
    pub fn patterns(mut self, patterns: Vec<Pattern>) -> Self {
        self.paths = patterns;
        self
    }

    /// What it counts by. Default: the client's address ([`crate::client_ip::ClientIp`]).
    #[must_use]
    pub fn by(mut self, count_by: CountBy) -> Self {
        self.count_by = count_by;
        self
    }

    /// Whether it refuses. Default: [`Mode::Enforce`].
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        // Shadow state must not disturb the enforced one, nor the other way round.
        self.id = fnv1a(self.name.as_bytes()) ^ u64::from(mode == Mode::Shadow);
        self
    }

    /// The form of its rate limit fields. Default: what [`super::Limits`] say.
    #[must_use]
    pub fn fields(mut self, fields: Fields) -> Self {
        self.fields = Some(fields);
        self
    }

    /// When its rate limit fields are sent. Default: what [`super::Limits`] say.
    #[must_use]
    pub fn fields_when(mut self, when: FieldsWhen) -> Self {
        self.fields_when = Some(when);
        self
    }

    /// What was said of its fields.
    pub(super) fn own_fields(&self) -> (Option<Fields>, Option<FieldsWhen>) {
        (self.fields, self.fields_when)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its quota.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// What its state is kept under: the same for the same name, across reloads and replicas.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The quota in the units that are counted in, as it is now.
    #[must_use]
    #[inline]
    pub fn budget(&self, clock: &dyn Clock) -> Budget {
        self.fixed.unwrap_or_else(|| self.quota.budget(clock))
    }

    /// What it counts by.
    #[must_use]
    pub fn count_by(&self) -> &CountBy {
        &self.count_by
    }

    /// Whether it does nothing.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.mode == Mode::Off
    }

    /// Whether it refuses.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        self.mode == Mode::Enforce
    }

    /// Whether it counts a request with this method and path. `readings` is only asked when needed. Methods are compared in any
    /// case: some frameworks fold it.
    pub(super) fn counts<'p>(&self, method: &Method, readings: impl FnOnce() -> &'p Readings<'p>) -> bool {
        let counted = |m: &Method| m == method || m.as_str().eq_ignore_ascii_case(method.as_str());
        if self.mode == Mode::Off || !(self.methods.is_empty() || self.methods.iter().any(counted)) {
            return false;
        }
        if self.paths.is_empty() {
            return true;
        }
        let readings = readings();
        self.paths.iter().any(|p| p.matches_any(readings))
    }
}

/// FNV-1a, 64 bits: stable across builds and machines, which std's hasher is not. Names are the operator's, so nobody can collide them.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
