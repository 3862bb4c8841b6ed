//! What the guards of log-ins count of somebody.

use casque::limit::store::memory::About;
use casque::limit::{Key, Limit, Subject};
use casque::login::{Counts, LoginPolicy};

use crate::names::{client, client_name, network_name};

/// The guards' limits, each once.
#[derive(Debug, Default)]
pub(super) struct Logins<'a>(Vec<Counted<'a>>);

/// One limit of a guard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) limit: &'a Limit,
    pub(super) counts: Counts,
    policy: &'a LoginPolicy,
}

impl<'a> Logins<'a> {
    pub(super) fn of(policies: impl Iterator<Item = &'a LoginPolicy>) -> Self {
        let mut all: Vec<Counted<'a>> = Vec::new();
        for policy in policies {
            for (limit, counts) in policy.limits() {
                // Routes share the guards of the file; one of another app counts other accounts under the same limit.
                let same = |c: &Counted<'_>| c.limit.id() == limit.id() && (counts != Counts::Account || std::ptr::eq(c.policy, policy));
                if !all.iter().any(same) {
                    all.push(Counted { limit, counts, policy });
                }
            }
        }
        Self(all)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Counted<'a>> {
        self.0.iter()
    }

    /// The limit that a key belongs to.
    pub(super) fn find(&self, key: &Key) -> Option<&Counted<'a>> {
        self.iter().find(|counted| About::of(key, counted.limit.id()) == Some(About::Requests))
    }
}

impl Counted<'_> {
    /// What somebody is counted by, if this limit counts such.
    pub(super) fn subject(&self, who: &str) -> Option<Subject> {
        match (client(who), self.counts) {
            (Some(client), Counts::Address) => Some(Subject::client(client)),
            (Some(client), Counts::Network) => Some(Subject::network(client)),
            (None, Counts::Account) => self.policy.subject(who),
            _ => None,
        }
    }

    /// Who that is, as far as a subject tells.
    pub(super) fn name(&self, subject: Subject, otherwise: impl FnOnce(Subject) -> String) -> String {
        match self.counts {
            Counts::Address => client_name(*subject.as_bytes()),
            Counts::Network => network_name(*subject.as_bytes()),
            Counts::Account => otherwise(subject),
        }
    }
}
