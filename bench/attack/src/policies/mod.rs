//! The defences, each as it is documented or shipped.

pub mod accounts;
pub mod addresses;
pub mod guard;
pub mod recipe;

use crate::scenario::{Answer, Policy, Try};

/// No defence.
#[derive(Debug)]
pub struct Nothing;

impl Policy for Nothing {
    fn attempt(&mut self, _: &Try) -> Answer {
        Answer::Checked
    }
}

/// Makes a defence as it is before the first request.
pub type Make = fn() -> Box<dyn Policy>;

/// All of them, by the name that the table has.
#[must_use]
pub fn all() -> Vec<(&'static str, Make)> {
    vec![
        ("none", || Box::new(Nothing)),
        ("nginx limit_req 10r/m burst 5", || Box::<addresses::Nginx>::default()),
        ("rate-limiter-flexible's recipe", || Box::<recipe::Recipe>::default()),
        ("fail2ban's defaults", || Box::new(addresses::Banned::fail2ban())),
        ("crowdsec http-bf", || Box::new(addresses::Banned::crowdsec())),
        ("lockout 5 in 15 min", || Box::new(accounts::Locked::lockout())),
        ("Authelia's defaults", || Box::new(accounts::Locked::authelia())),
        ("axes-like, extending", || Box::new(accounts::Locked::axes())),
        ("OWASP device cookies", || Box::<accounts::DeviceCookies>::default()),
        ("casque's login guard", || Box::<guard::LoginGuard>::default()),
    ]
}
