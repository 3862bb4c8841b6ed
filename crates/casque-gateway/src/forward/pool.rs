//! A worker's connections to the apps. Never shared between threads, so never locked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use casque::clock::{Clock, Micros, SystemClock};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;

use super::body::{Progress, RequestBody};
use super::connect::connect;
use super::response::KeepAlive;
use crate::error::Error;
use crate::policy::Target;

/// After this much idleness a connection may be closing under the next request. A request that may be sent twice is then kept at
/// hand for a second try; below it, which is where a busy gateway is, keeping it would cost more than the rest of the pool.
const SUSPECT_AFTER: Duration = Duration::from_millis(20);
/// How many connections in a row must have been used again without trouble before an app is believed to keep them open. Some
/// close after every answer without a word.
const TRUSTED_AFTER: u32 = 16;
/// How often connections that have been idle for too long are looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// After this much a request that must not be sent twice gets a new connection instead.
const STALE_AFTER: Duration = Duration::from_secs(1);

/// Idle connections by app. There are few apps, so they stand in a list.
#[derive(Debug, Default)]
pub(super) struct Pools {
    apps: RefCell<Vec<Pool>>,
    sweeping: Cell<bool>,
}

#[derive(Debug)]
struct Pool {
    target: Arc<Target>,
    idle: Vec<Idle>,
    /// How many were used again without trouble since the last that was not.
    reused: u32,
}

impl Pool {
    /// After a reload the same app is a new target.
    fn is_for(&self, target: &Arc<Target>) -> bool {
        Arc::ptr_eq(&self.target, target) || self.target.upstream == target.upstream
    }
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<RequestBody>,
    since: Micros,
    until: Micros,
}

/// A request that got no response.
pub(super) type Failed = hyper::client::conn::TrySendError<Request<RequestBody>>;

/// A connection in use by one request.
#[derive(Debug)]
pub(super) struct Lease {
    sender: SendRequest<RequestBody>,
    target: Arc<Target>,
    suspect: bool,
}

impl Pools {
    /// A connection that is ready for a request: an idle one, or a new one.
    ///
    /// A request that must not be sent twice gets none that has been idle long enough to be closed under it.
    pub(super) async fn lease(&self, target: &Arc<Target>, replayable: bool) -> Result<Lease, Error> {
        while let Some((idle, reused)) = self.take(target) {
            let now = SystemClock.now();
            let idle_for = now.since(idle.since);
            if now >= idle.until || (idle_for > STALE_AFTER && !replayable) {
                continue;
            }
            let mut sender = idle.sender;
            if sender.is_closed() || sender.ready().await.is_err() {
                self.trouble(target);
                continue;
            }
            let suspect = replayable && (reused < TRUSTED_AFTER || idle_for > SUSPECT_AFTER);
            return Ok(Lease { sender, target: target.clone(), suspect });
        }
        self.connect(target).await
    }

    /// The app has closed a connection that was to be used again.
    pub(super) fn trouble(&self, target: &Arc<Target>) {
        if let Some(pool) = self.apps.borrow_mut().iter_mut().find(|p| p.is_for(target)) {
            pool.reused = 0;
        }
    }

    /// A new connection.
    pub(super) async fn connect(&self, target: &Arc<Target>) -> Result<Lease, Error> {
        let stream = connect(target).await?;
        let (sender, connection) = Builder::new().writev(false).handshake(TokioIo::new(stream)).await.map_err(Error::BadResponse)?;
        tokio::task::spawn_local(async move {
            // An error here reaches the request that was using the connection.
            let _ = connection.with_upgrades().await;
        });
        Ok(Lease { sender, target: target.clone(), suspect: false })
    }

    fn take(&self, target: &Arc<Target>) -> Option<(Idle, u32)> {
        let mut apps = self.apps.borrow_mut();
        let pool = apps.iter_mut().find(|p| p.is_for(target))?;
        let idle = pool.idle.pop()?;
        let before = pool.reused;
        pool.reused = before.saturating_add(1);
        Some((idle, before))
    }

    fn put(self: &Rc<Self>, target: &Arc<Target>, sender: SendRequest<RequestBody>, keep_alive: KeepAlive) {
        if sender.is_closed() {
            return;
        }
        let now = SystemClock.now();
        // Gone a second before the app would close it, if it says when.
        let patience = keep_alive.map_or(target.idle_timeout, |k| k.saturating_sub(Duration::from_secs(1)).min(target.idle_timeout));
        let mut apps = self.apps.borrow_mut();
        let at = apps.iter().position(|p| p.is_for(target)).unwrap_or_else(|| {
            apps.push(Pool { target: target.clone(), idle: Vec::new(), reused: 0 });
            apps.len() - 1
        });
        let pool = &mut apps[at].idle;
        if pool.len() < target.max_idle {
            pool.push(Idle { sender, since: now, until: now.after(patience) });
        }
        if !self.sweeping.replace(true) {
            tokio::task::spawn_local(self.clone().sweep());
        }
    }

    /// Closes what has been idle for too long, until nothing is left to watch: the app must not keep sockets for a gateway that has
    /// gone quiet, nor for a policy that was replaced.
    async fn sweep(self: Rc<Self>) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let now = SystemClock.now();
            let mut apps = self.apps.borrow_mut();
            for pool in apps.iter_mut() {
                pool.idle.retain(|i| now < i.until && !i.sender.is_closed());
            }
            apps.retain(|pool| !pool.idle.is_empty());
            if apps.is_empty() {
                self.sweeping.set(false);
                return;
            }
        }
    }
}

impl Lease {
    /// Whether a second try should be kept at hand.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// Sends a request. An error gives it back if nothing of it was sent.
    pub(super) fn send(&mut self, req: Request<RequestBody>) -> impl Future<Output = Result<Response<Incoming>, Failed>> + use<> {
        self.sender.try_send_request(req)
    }

    /// What the response body carries, to bring the connection back when it ends.
    pub(super) fn on_the_way_home(self, pools: &Rc<Pools>, keep_alive: KeepAlive, progress: Rc<Progress>) -> WayHome {
        WayHome { pools: pools.clone(), lease: self, keep_alive, progress }
    }
}

/// A connection that will be idle when the response has ended.
#[derive(Debug)]
pub(super) struct WayHome {
    pools: Rc<Pools>,
    lease: Lease,
    keep_alive: KeepAlive,
    progress: Rc<Progress>,
}

impl WayHome {
    pub(super) fn go(self) {
        // An answer before the end of the request leaves the rest of it on the wire.
        if self.progress.done() {
            self.pools.put(&self.lease.target, self.lease.sender, self.keep_alive);
        }
    }
}
