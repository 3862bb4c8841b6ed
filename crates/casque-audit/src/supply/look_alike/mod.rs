//! Names that are nearly those of well-known packages.
//!
//! Whoever squats a name waits for a slip of the hand, so what counts is what people type: names they ask for by hand are imitated
//! (450 of npm, 280 of crates.io), and only what a project asks for itself can be such a slip. Names made of look-alike characters
//! are no slips; those are told of every package.
//!
//! Being near is normal: `preact`, `cookies`, `is-regexp`. So only slips count that hands make and eyes miss, the shorter the name
//! the fewer ([`slip`]), and names that are known to be themselves are passed over. What is missed that way is for the records of
//! malware in the database, which know names that do harm, not names that look it.

mod slip;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::{Check, Found, Notice};
use crate::package::Ecosystem;
use slip::{is_slip, letters, skeleton};

const NPM: &str = include_str!("npm.txt");
const CRATES: &str = include_str!("crates.txt");

/// Scopes of npm that people ask for by hand. Nobody but their owners can publish in them.
const SCOPES: &str = "angular ant-design apollo aws-sdk azure babel capacitor chakra-ui changesets commitlint cypress date-fns discordjs \
    emotion eslint fastify fontsource fortawesome google-cloud graphql-codegen graphql-tools hapi headlessui hookform ionic jest \
    metamask mui nestjs next nuxt nuxtjs octokit playwright popperjs prisma puppeteer radix-ui react-native react-navigation \
    reduxjs remix-run rollup sentry solana storybook stripe supabase sveltejs swc tailwindcss tanstack tensorflow testing-library \
    trpc types typescript-eslint vercel vitejs vitest vue vueuse";

/// What is known of one ecosystem's names.
struct Names {
    /// Every name that is known to be what it seems.
    known: HashSet<&'static str>,
    /// The imitated ones by the number of their letters.
    typed: Vec<Vec<&'static str>>,
    by_letters: HashMap<String, &'static str>,
    by_skeleton: HashMap<String, &'static str>,
}

static NPM_NAMES: LazyLock<Names> = LazyLock::new(|| Names::read(NPM));
static CRATE_NAMES: LazyLock<Names> = LazyLock::new(|| Names::read(CRATES));
static SCOPE_NAMES: LazyLock<Names> = LazyLock::new(|| Names::new(SCOPES, ""));

impl Names {
    /// Two lists, each below a line with `#`.
    fn read(text: &'static str) -> Self {
        let (typed, others) = text.split_once("\n\n").unwrap_or((text, ""));
        let names = |part: &'static str| part.split_once('\n').map_or("", |(_, names)| names);
        Self::new(names(typed), names(others))
    }

    fn new(typed: &'static str, others: &'static str) -> Self {
        let mut names = Self { known: HashSet::new(), typed: Vec::new(), by_letters: HashMap::new(), by_skeleton: HashMap::new() };
        for name in typed.split_whitespace() {
            names.known.insert(name);
            if names.typed.len() <= name.len() {
                names.typed.resize(name.len() + 1, Vec::new());
            }
            if let Some(list) = names.typed.get_mut(name.len()) {
                list.push(name);
            }
            names.by_letters.insert(letters(name), name);
            names.by_skeleton.insert(skeleton(name), name);
        }
        names.known.extend(others.split_whitespace());
        names
    }

    /// Whose name this one imitates with characters that look alike.
    fn disguised(&self, name: &str) -> Option<&'static str> {
        let plain = self.by_skeleton.get(&skeleton(name)).copied()?;
        (!self.known.contains(name) && letters(name) != letters(plain)).then_some(plain)
    }

    /// Which name was meant, if this one is a slip of the hand.
    fn meant(&self, name: &str) -> Option<&'static str> {
        if self.known.contains(name) {
            return None;
        }
        if let Some(same) = self.by_letters.get(&letters(name)).filter(|same| same.len() >= slip::SHORTEST) {
            return Some(same);
        }
        let lengths = name.len().saturating_sub(1)..=name.len() + 1;
        lengths.filter_map(|length| self.typed.get(length)).flatten().copied().find(|typed| is_slip(name, typed))
    }
}

/// Looks at every name once.
pub(super) fn check(packages: &[Found<'_>], out: &mut Vec<Notice>) {
    for Found { instance, direct } in packages {
        let (name, direct) = (&*instance.package.name, *direct);
        let resembled = match (instance.package.ecosystem, name.strip_prefix('@').and_then(|rest| rest.split_once('/'))) {
            (Ecosystem::Npm, Some((scope, _))) => resembled(&SCOPE_NAMES, scope, direct).map(|scope| format!("@{scope}")),
            (Ecosystem::Npm, None) => resembled(&NPM_NAMES, name, direct).map(str::to_owned),
            (Ecosystem::Cargo, _) => resembled(&CRATE_NAMES, name, direct).map(str::to_owned),
        };
        if let Some(plain) = resembled {
            out.push(Notice::new(
                Check::LookAlike,
                instance,
                format!("looks like {plain}, and is another package; is it the one you meant?"),
            ));
        }
    }
}

fn resembled(names: &Names, name: &str, direct: bool) -> Option<&'static str> {
    names.disguised(name).or_else(|| if direct { names.meant(name) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_lists_of_names() {
        for (names, text) in [(&*NPM_NAMES, NPM), (&*CRATE_NAMES, CRATES)] {
            assert!(names.known.len() > 600);
            assert_eq!(text.matches('#').count(), 2);
            let wrong = |name: &&&str| name.bytes().any(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b)));
            assert_eq!(names.known.iter().find(wrong), None);
            for name in &names.known {
                assert_eq!((names.disguised(name), names.meant(name)), (None, None));
            }
        }
    }

    /// Packages that were taken down because they imitated another, as reported by npm, Snyk and RustSec.
    #[test]
    fn squatted_names_are_recognised() {
        for (name, meant) in [
            ("crossenv", "cross-env"),
            ("cross-env.js", ""),
            ("mongose", "mongoose"),
            ("babelcli", "babel-cli"),
            ("gruntcli", "grunt-cli"),
            ("lodahs", "lodash"),
            ("loadsh", "lodash"),
            ("electorn", "electron"),
            ("axois", "axios"),
            ("expres", "express"),
            ("expresss", "express"),
            ("momnet", "moment"),
            ("reqeust", "request"),
            ("typescirpt", "typescript"),
            ("nodemaler", "nodemailer"),
            ("body_parser", "body-parser"),
            ("react-dorn", ""),
        ] {
            assert_eq!(NPM_NAMES.meant(name).unwrap_or_default(), meant, "{name}");
        }
        for (name, meant) in
            [("rustdecimal", "rust_decimal"), ("serd_json", "serde_json"), ("serde-json", "serde_json"), ("tokoi", "tokio")]
        {
            assert_eq!(CRATE_NAMES.meant(name).unwrap_or_default(), meant, "{name}");
        }
        for (name, meant) in [("1odash", "lodash"), ("rnoment", "moment"), ("reaсt", "react"), ("vvebpack", "webpack"), ("webpackl", "")] {
            assert_eq!(NPM_NAMES.disguised(name).unwrap_or_default(), meant, "{name}");
        }
        assert_eq!(SCOPE_NAMES.meant("bable"), Some("babel"));
        assert_eq!(SCOPE_NAMES.meant("typse"), Some("types"));
        assert_eq!(SCOPE_NAMES.meant("type"), None);
    }
}
