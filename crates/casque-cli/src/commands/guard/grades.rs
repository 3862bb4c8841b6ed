//! What the app's page is worth by itself and what it is worth guarded, told once at start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use casque_gateway::config::Upstream;
use casque_scan::strict::{self, Context};
use casque_scan::{Grade, Report};

use crate::commands::scan::fetch::{Options, Target, capture};
use crate::printer::{self, BAD, BOLD, DIM, GOOD};

/// A page that takes longer is graded by `casque scan`, if anybody wants to know.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for the page once around casque and once through it, and prints both grades. Says nothing if one of them has no page: an app
/// that is still starting, or one that answers to some hosts only, is no reason to talk.
pub(super) async fn print(upstream: &Upstream, gateway: SocketAddr) {
    let Upstream::Tcp { host, port } = upstream else { return };
    let name = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let guarded = reachable(gateway);
    let Some(bare) = grade(&format!("http://{name}:{port}/")).await else { return };
    let Some(through) = grade(&format!("http://{guarded}/")).await else { return };
    let (before, after) = (in_colour(&bare), in_colour(&through));
    printer::say(format_args!("{:>9}  {before} bare, {after} guarded {DIM}(`casque scan http://{guarded}/` tells why){DIM:#}\n", "grade"));
}

async fn grade(address: &str) -> Option<Report> {
    let target = Target::parse(address).ok()?;
    let options = Options { timeout: PATIENCE, probes: false, ..Options::default() };
    let capture = capture(&target, &options).await.ok()?;
    let page = capture.http.as_ref()?;
    let is_page = (200..400).contains(&page.status);
    strict::grade(&capture, &Context { now: None, preload: None }).ok().filter(|_| is_page)
}

fn in_colour(report: &Report) -> String {
    let style = if report.grade >= Grade::BMinus { GOOD } else { BAD };
    format!("{style}{BOLD}{}{BOLD:#}{style:#} {DIM}({} points){DIM:#}", report.grade, report.score)
}

/// An address on which this machine reaches what listens on all of them.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
