//! The order in which a request is treated, on one screen.

use std::rc::Rc;
use std::sync::Arc;

use casque::cookie::Cookies;
use casque::headers::Headers;
use casque::headers::fetch_metadata::{FetchMetadata, FetchMetadataLayer};
use casque::limit::Limited;
use casque::login::{Guards, LoginGuardLayer, LoginGuarded};
use casque::serve::Drain;
use casque::{CookieLayer, HeadersLayer, LimitLayer};
use tower_layer::Layer;

use crate::admit::{Admit, AdmitLayer, Exchange};
use crate::forward::Forward;
use crate::observe::{Logger, Record, RecordLayer};
use crate::reports::{Inbox, Intake, IntakeLayer};
use crate::rescue::{self, Rescue, RescueLayer};
use crate::server::Current;
use crate::store::LimitStore;

/// The one shape of the gateway. What varies by route lies in the request's [`Exchange`], so a reload swaps data, never types.
pub(crate) type Stack =
    Record<Admit<Headers<Intake<FetchMetadata<Limited<LoginGuarded<Rescue<Cookies<Forward>>, LimitStore>, LimitStore>>>>>>;

/// Builds a worker's stack, from the inside out.
pub(crate) fn build(
    current: Rc<Current>,
    store: Arc<LimitStore>,
    guards: Arc<Guards<LimitStore>>,
    inbox: Arc<Inbox>,
    logger: Logger,
    drain: Drain,
) -> Stack {
    // The app. The only place that talks to another machine.
    let app = Forward::new(drain);
    // The app's cookies, before anybody else sees its response. What was done to them is for the log alone.
    let app = CookieLayer::per_request(Exchange::cookies).tell(logger.is_on()).layer(app);
    // Errors become pages inside all that follows: a 502 carries the headers as a 200 does, and what the limits have to tell.
    let app = RescueLayer.layer(app);
    // Attempts at passwords are charged once more, by the account that they are at, and settled by the app's answer.
    let app = LoginGuardLayer::per_request(Exchange::logins).guards(guards).layer(app);
    // Refusals cost no cookie work and never reach the app.
    let app = LimitLayer::per_request(Exchange::limits).store(store).layer(app);
    // Before the limits: what another site makes a visitor's browser send must not use up that visitor's requests.
    let app = FetchMetadataLayer::per_request(Exchange::isolation).respond(rescue::cross_site).layer(app);
    // Violation reports end here: outside the limits, so that a page full of violations costs its visitor none of his requests.
    let app = IntakeLayer::new(inbox).layer(app);
    let app = HeadersLayer::per_request(Exchange::headers).behind_gateway(true).layer(app);
    // Everything above needs to know who asks and by which policy.
    let app = AdmitLayer::new(current).layer(app);
    // Outermost: what is logged is what the client got.
    RecordLayer::new(logger).layer(app)
}
