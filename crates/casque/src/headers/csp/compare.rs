//! Whether one policy allows nothing that another forbids.
//!
//! The answer yes is a proof, no is not: what is not certain is no. Both policies are read as browsers of CSP Level 3 read them,
//! whose rules are not those of older ones (there `'strict-dynamic'` was an unknown word and the hosts beside it counted).

use super::cover::covers;
use super::names;
use super::policy::{Csp, Directive};
use super::source::{Keyword, Source, strip_prefix_any_case};

/// Loads that only their address decides. `default-src` stands here for prefetches, and for what browsers may yet invent.
const BY_ADDRESS: [&str; 14] = [
    "default-src",
    "child-src",
    "connect-src",
    "font-src",
    "frame-src",
    "fenced-frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "base-uri",
    "form-action",
    "frame-ancestors",
    "navigate-to",
];

/// Each source of one policy may have to be held against each of the other. Strangers who send both get no more work out of it.
const MOST_PAIRS: usize = 250_000;

impl Csp {
    /// Whether everything that this policy allows, `other` allows too: loads of every kind with their fallbacks, inline code,
    /// `eval`, framing, forms, the base address, the sandbox, Trusted Types, upgraded requests.
    ///
    /// `false` also where it cannot be proved, as between two policies of different nonces, or of many hundred sources each.
    #[must_use]
    pub fn is_at_least_as_strict_as(&self, other: &Self) -> bool {
        let values = |csp: &Self| csp.directives.iter().map(|d| d.values.len()).sum::<usize>();
        if self == other {
            return true;
        }
        if values(self).saturating_mul(values(other)) > MOST_PAIRS {
            return false;
        }
        let lists = |name, rule: fn(&List<'_>, &List<'_>) -> bool| match (self.effective(name), other.effective(name)) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(ours), Some(theirs)) => rule(&List::new(ours), &List::new(theirs)),
        };
        BY_ADDRESS.iter().all(|name| lists(name, addresses))
            && lists("script-src-elem", script_elements)
            && lists("script-src-attr", |a, b| attributes(a, b, true))
            && lists("style-src-elem", style_elements)
            && lists("style-src-attr", |a, b| attributes(a, b, false))
            && lists("script-src", evaluation)
            && self.evaluates_no_more_than(other)
            && self.starts_no_more_workers_than(other)
            && self.prefetches_no_more_than(other)
            && self.is_sandboxed_like(other)
            && self.types_like(other)
            && self.upgrades_like(other)
            && self.has_no_other_difference_from(other)
    }

    /// `'trusted-types-eval'` opens `eval` only where Trusted Types are required.
    fn evaluates_no_more_than(&self, other: &Self) -> bool {
        let opens = |csp: &Self, keyword| csp.effective("script-src").is_some_and(|d| List::new(d).has(keyword));
        !opens(self, Keyword::TrustedTypesEval)
            || other.effective("script-src").is_none()
            || opens(other, Keyword::UnsafeEval)
            || requires_types(other)
            || !requires_types(self)
    }

    /// Browsers disagree on what `'strict-dynamic'` means to a worker: with it only the same directive is as strict.
    fn starts_no_more_workers_than(&self, other: &Self) -> bool {
        match (self.effective("worker-src"), other.effective("worker-src")) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(ours), Some(theirs)) => {
                let (a, b) = (List::new(ours), List::new(theirs));
                if a.has(Keyword::StrictDynamic) || b.has(Keyword::StrictDynamic) {
                    ours == theirs || ours.is_none()
                } else {
                    addresses(&a, &b)
                }
            }
        }
    }

    /// A prefetch passes where any directive for loads would let it (6.7.2.2 of CSP Level 3), if there is a `default-src` at all.
    fn prefetches_no_more_than(&self, other: &Self) -> bool {
        if other.get("default-src").is_none() {
            return true;
        }
        let all = |csp: &'_ Self| -> Vec<String> {
            let fetches = csp.directives.iter().filter(|d| d.name == "default-src" || !names::fallback(&d.name).is_empty());
            fetches.filter(|d| !d.is_none()).flat_map(|d| d.values.iter().cloned()).collect()
        };
        let (ours, theirs) = (all(self), all(other));
        let (ours, theirs) = (List::of(&ours), List::of(&theirs));
        self.get("default-src").is_some() && addresses(&List { keywords: 0, ..ours }, &theirs)
    }

    fn is_sandboxed_like(&self, other: &Self) -> bool {
        match (self.get("sandbox"), other.get("sandbox")) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(ours), Some(theirs)) => ours.values.iter().all(|v| holds(theirs, v)),
        }
    }

    fn types_like(&self, other: &Self) -> bool {
        let required = !requires_types(other) || requires_types(self);
        required
            && match (self.get("trusted-types"), other.get("trusted-types")) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(ours), Some(theirs)) => {
                    let any = theirs.values.iter().any(|v| v == "*");
                    ours.values.iter().all(|v| {
                        let quoted = v.starts_with('\'');
                        v.eq_ignore_ascii_case("'none'") || theirs.values.contains(v) || (any && !quoted && v != "*")
                    })
                }
            }
    }

    fn upgrades_like(&self, other: &Self) -> bool {
        let upgrades = self.get("upgrade-insecure-requests").is_some();
        let blocks = upgrades || self.get("block-all-mixed-content").is_some();
        (upgrades || other.get("upgrade-insecure-requests").is_none()) && (blocks || other.get("block-all-mixed-content").is_none())
    }

    /// What this comparison knows nothing of has to be the same on both sides.
    fn has_no_other_difference_from(&self, other: &Self) -> bool {
        let unknown = |d: &&Directive| names::known(&d.name).is_none() || d.name == "prefetch-src";
        let same = |d: &Directive, csp: &Self| csp.get(&d.name) == Some(d);
        self.directives.iter().filter(unknown).all(|d| same(d, other))
            && other.directives.iter().filter(|d| unknown(d) || d.name == "webrtc").all(|d| same(d, self))
    }
}

fn requires_types(csp: &Csp) -> bool {
    csp.get("require-trusted-types-for").is_some_and(|d| holds(d, "'script'"))
}

fn holds(directive: &Directive, value: &str) -> bool {
    directive.values.iter().any(|v| v.eq_ignore_ascii_case(value))
}

/// A source list, sorted by what its entries do.
#[derive(Debug)]
struct List<'c> {
    addresses: Vec<Source<'c>>,
    nonces: Vec<&'c str>,
    /// Those that every browser takes for a hash.
    hashes: Vec<&'c str>,
    /// What is no source by the grammar. Some browser may yet make something of it.
    odd: Vec<&'c str>,
    keywords: u32,
}

impl<'c> List<'c> {
    fn new(directive: &'c Directive) -> Self {
        Self::of(&directive.values)
    }

    fn of(values: &'c [String]) -> Self {
        let mut list = Self { addresses: Vec::new(), nonces: Vec::new(), hashes: Vec::new(), odd: Vec::new(), keywords: 0 };
        for value in values {
            match Source::parse(value) {
                Some(Source::None) => {}
                Some(Source::Nonce(_) | Source::ResponseNonce) => list.nonces.push(value),
                Some(Source::Hash(algorithm, text)) => {
                    let whole = text.len() == algorithm.bytes().div_ceil(3) * 4
                        && text.trim_end_matches('=').len() == (algorithm.bytes() * 4).div_ceil(3);
                    if whole { list.hashes.push(value) } else { list.odd.push(value) }
                }
                Some(source @ (Source::Any | Source::Scheme(_) | Source::Host(_) | Source::Keyword(Keyword::SelfOrigin))) => {
                    list.addresses.push(source);
                }
                Some(Source::Keyword(keyword)) => list.keywords |= 1 << keyword as u32,
                None => list.odd.push(value),
            }
        }
        list
    }

    fn has(&self, keyword: Keyword) -> bool {
        self.keywords & 1 << keyword as u32 != 0
    }

    /// Whether all inline code runs, for certain (6.7.3.2): a nonce or a hash switches `'unsafe-inline'` off.
    fn surely_allows_inline(&self, scripts: bool) -> bool {
        let cancelled = |v: &&str| strip_prefix_any_case(v, "'nonce-").or_else(|| strip_prefix_any_case(v, "'sha")).is_some();
        self.may_allow_inline(scripts) && !self.odd.iter().any(cancelled)
    }

    /// Whether all inline code runs in some browser.
    fn may_allow_inline(&self, scripts: bool) -> bool {
        self.has(Keyword::UnsafeInline)
            && self.nonces.is_empty()
            && self.hashes.is_empty()
            && !(scripts && self.has(Keyword::StrictDynamic))
    }

    fn only(&self, keyword: Keyword, other: &Self) -> bool {
        !self.has(keyword) || other.has(keyword)
    }
}

fn within(ours: &[&str], theirs: &[&str]) -> bool {
    ours.iter().all(|v| theirs.contains(v))
}

fn addresses(a: &List<'_>, b: &List<'_>) -> bool {
    a.addresses.iter().all(|narrow| b.addresses.iter().any(|broad| covers(*broad, *narrow)))
        && within(&a.odd, &b.odd)
        && a.only(Keyword::UnsafeWebtransportHashes, b)
        && a.only(Keyword::UnsafeAllowRedirects, b)
}

fn script_elements(a: &List<'_>, b: &List<'_>) -> bool {
    let loads = match (a.has(Keyword::StrictDynamic), b.has(Keyword::StrictDynamic)) {
        (true, true) => true,
        (true, false) => false,
        // Its addresses count for nothing there.
        (false, true) => a.addresses.is_empty(),
        (false, false) => addresses(a, b),
    };
    let rules = a.only(Keyword::InlineSpeculationRules, b) || b.surely_allows_inline(true);
    // A hash also admits files, wherever they are from, so that `'unsafe-inline'` does not make up for a missing one.
    loads
        && rules
        && within(&a.odd, &b.odd)
        && within(&a.nonces, &b.nonces)
        && within(&a.hashes, &b.hashes)
        && inline(a, b, true)
        && attributes(a, b, true)
}

fn style_elements(a: &List<'_>, b: &List<'_>) -> bool {
    let hashes = within(&a.hashes, &b.hashes) || b.surely_allows_inline(false);
    addresses(a, b) && within(&a.nonces, &b.nonces) && hashes && inline(a, b, false)
}

fn inline(a: &List<'_>, b: &List<'_>, scripts: bool) -> bool {
    !a.may_allow_inline(scripts) || b.surely_allows_inline(scripts)
}

/// Handlers, `style` attributes and `javascript:` addresses: all, or those whose hash is there beside `'unsafe-hashes'`.
fn attributes(a: &List<'_>, b: &List<'_>, scripts: bool) -> bool {
    let hashed = a.hashes.is_empty() || !a.has(Keyword::UnsafeHashes) || (b.has(Keyword::UnsafeHashes) && within(&a.hashes, &b.hashes));
    inline(a, b, scripts) && within(&a.odd, &b.odd) && (hashed || b.surely_allows_inline(scripts))
}

fn evaluation(a: &List<'_>, b: &List<'_>) -> bool {
    within(&a.odd, &b.odd)
        && a.only(Keyword::UnsafeEval, b)
        && (a.only(Keyword::WasmUnsafeEval, b) || b.has(Keyword::UnsafeEval))
        && (a.only(Keyword::TrustedTypesEval, b) || b.has(Keyword::UnsafeEval))
}
