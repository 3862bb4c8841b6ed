//! One request to a guarded route, as far as the guard looks at it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, REFERER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, request};

use super::account::{self, Found, Head, Name};
use super::answer;
use super::challenge::{self, Pass, Redemption, ReturnTo};
use super::cookies;
use super::device::Carried;
use super::guard::{Account, Attempt, MOST_ACCOUNTS, Rules};
use super::outcome::{Answer, Look, Outcome};
use super::policy::{Login, LoginPolicy};
use super::replay::Replay;
use crate::client_ip::ClientIp;
use crate::limit::{Mode, Subject};
use crate::{RequestId, Scheme};

/// What the head of the request tells.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) policy: Arc<LoginPolicy>,
    /// Which guard; none where a challenge is answered.
    which: Option<usize>,
    pub(super) client: ClientIp,
    pub(super) scheme: Scheme,
    pub(super) request_id: Option<RequestId>,
    /// Seconds since 1970.
    pub(super) now: u64,
    path: String,
    pub(super) accept: Option<HeaderValue>,
    pub(super) return_to: ReturnTo,
    /// The guard's cookies, which are no longer in the request. Only they: a visit is not to keep others' secrets.
    cookies: HeaderMap,
    carried: Carried,
}

/// What the body adds.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Whether an account's name was found.
    pub(super) named: bool,
    /// The account that the browser is known to after a success.
    device_for: Option<Subject>,
}

/// What a whole request comes to.
pub(super) enum Looked<B> {
    /// An attempt, to be reserved.
    Attempt(Seen, Attempt),
    /// Something that needs no reservation to be answered.
    Answered(Response<Replay<B>>),
}

impl Visit {
    /// Reads the head, and takes the guard's cookies out of it.
    pub(super) fn new<B>(
        policy: Arc<LoginPolicy>,
        which: Option<usize>,
        client: ClientIp,
        scheme: Scheme,
        request_id: Option<RequestId>,
        now: u64,
        req: &mut Request<B>,
    ) -> Self {
        let target = req.uri().path_and_query().map_or("/", |p| p.as_str());
        let headers = req.headers();
        let host = req.uri().authority().map(|a| a.as_str()).or_else(|| headers.get(HOST).and_then(|h| h.to_str().ok()));
        let return_to = ReturnTo::of_request(&Method::POST, target, headers.get(REFERER).map(HeaderValue::as_bytes), host);
        let visit = Self {
            policy,
            which,
            client,
            scheme,
            request_id,
            now,
            path: req.uri().path().to_owned(),
            accept: headers.get(ACCEPT).cloned(),
            return_to,
            cookies: cookies::ours(headers),
            carried: Carried::read(headers, scheme),
        };
        cookies::strip(req.headers_mut());
        visit
    }

    /// The guard that takes the request.
    pub(super) fn login(&self) -> &(Login, Arc<Rules>) {
        self.policy.get(self.which.unwrap_or_default())
    }

    /// Whether its guard stops nobody.
    pub(super) fn only_watches(&self) -> bool {
        self.login().0.mode == Mode::Shadow
    }

    /// What is attempted; or the answer, where that is known already.
    pub(super) fn look<B: From<Bytes>>(&self, head: &request::Parts, body: &[u8], whole: bool) -> Looked<B> {
        if self.which.is_none() {
            return Looked::Answered(self.redeem(head, body, whole));
        }
        let (login, _) = self.login();
        let names = match account::find(&login.accounts, Head { headers: &head.headers, query: head.uri.query() }, body, whole) {
            Found::Names(names) => names,
            Found::Nothing => Vec::new(),
            // A guard that only watches lets it go by, and watches it as one without a name.
            Found::TooMany(_) | Found::Refuse(_) if self.only_watches() => Vec::new(),
            Found::TooMany(_) => return Looked::Answered(answer::too_many_accounts(self)),
            Found::Refuse(refusal) => return Looked::Answered(answer::unreadable(self, refusal)),
        };
        let accounts: Vec<Account> = names.iter().take(MOST_ACCOUNTS + 1).map(|name| self.account(login, name)).collect();
        // A success at several names is one of whichever the app took, so it makes the browser known to none.
        let device_for = match &*names {
            [name] => self.policy.device_of(login, name),
            _ => None,
        };
        let route = challenge::route(login.name());
        let pass = Pass::find(self.policy.secrets(), self.scheme, self.client, route, &self.cookies, self.now);
        let seen = Seen { named: !accounts.is_empty(), device_for };
        Looked::Attempt(seen, Attempt { client: self.client, accounts, pass: pass.map(|p| p.subject()) })
    }

    fn account(&self, login: &Login, name: &Name) -> Account {
        let secrets = self.policy.secrets();
        let device = login
            .devices
            .zip(self.policy.device_of(login, name))
            .and_then(|(devices, owner)| devices.find(secrets, self.scheme, owner, &self.cookies, self.now))
            .map(|device| device.subject());
        Account { account: self.policy.account(name), device }
    }

    /// A challenge comes back with its solution.
    fn redeem<B: From<Bytes>>(&self, head: &request::Parts, body: &[u8], whole: bool) -> Response<Replay<B>> {
        let fields = match head.method {
            Method::GET | Method::HEAD => head.uri.query().unwrap_or_default().as_bytes(),
            Method::POST if whole => body,
            Method::POST => return answer::unreadable(self, account::Refusal::TooLong),
            _ => return answer::wrong_method(self),
        };
        let Some(redemption) = Redemption::parse(fields) else { return answer::no_redemption(self) };
        let id = self.request_id.map(|id| id.to_string());
        match challenge::verify(self.policy.secrets(), self.policy.voucher(), self.client, &redemption, self.now) {
            Ok(passed) => passed.response(self.policy.secrets(), self.scheme, self.now),
            Err(rejected) => rejected.response(self.accept.as_ref(), id.as_deref(), self.now),
        }
    }

    /// Whether the body of the app's answer may be looked at, which a compressed one hides.
    pub(super) fn may_read_bodies(&self) -> bool {
        self.login().0.signs.needs_body()
    }

    /// What to look for in the body of an answer, if its head does not tell enough.
    pub(super) fn look_for<B>(&self, response: &Response<B>) -> Option<Look> {
        self.login().0.signs.look(self.answer(response))
    }

    /// What the app's answer means.
    pub(super) fn outcome<B>(&self, response: &Response<B>, look: Option<&Look>) -> Outcome {
        self.login().0.signs.read(self.answer(response), look)
    }

    fn answer<'a, B>(&'a self, response: &'a Response<B>) -> Answer<'a> {
        Answer { status: response.status(), headers: response.headers(), path: &self.path }
    }

    /// The cookies that make the browser known, where it has just logged in.
    pub(super) fn grant(&self, seen: &Seen) -> Vec<HeaderValue> {
        let Some((devices, owner)) = self.login().0.devices.zip(seen.device_for) else { return Vec::new() };
        devices.grant(self.policy.secrets(), self.scheme, owner, &self.carried, self.now, rand::random())
    }
}
