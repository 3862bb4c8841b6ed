//! Step one: connections are accepted, counted and given to a worker's stack.
//!
//! Every worker is a thread with a single-threaded runtime of its own, its own connections to the apps and no lock on a
//! request's way but the limiter's. All accept from one socket: whoever is idle takes the next.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use casque::login::{Guards, Worry};
use casque::serve::{Caps, Drain, Stopper, accept, connection, stopper};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::admin::{AdminSocket, Verbs};
use crate::observe::{LogWriter, Logger};
use crate::policy::Policy;
use crate::reports::Inbox;
use crate::store::LimitStore;
use crate::{admin, stack};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

/// A gateway that has its address and does not serve yet.
#[derive(Debug)]
pub struct Gateway {
    /// Has the address, and lets nobody in before [`Gateway::listen`].
    socket: Socket,
    address: SocketAddr,
    /// The operator's pages, if there are any.
    admin: Option<Socket>,
    /// The operator's verbs, if there are any.
    admin_socket: Option<AdminSocket>,
    shared: Arc<Shared>,
    stop: Stopper,
    drain: Drain,
}

/// Controls a gateway from another thread.
#[derive(Debug, Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    stop: Stopper,
}

/// The policy of all workers, and how often it has changed.
#[derive(Debug)]
pub(crate) struct Shared {
    generation: AtomicU64,
    policy: Mutex<Arc<Policy>>,
    /// A proxy that is not trusted and yet speaks for others; noticed once.
    unheard_proxy: OnceLock<IpAddr>,
    /// Where the limits' state is.
    store: Arc<LimitStore>,
    /// The same of browsers that the login guard knows.
    devices: Arc<LimitStore>,
    told: Mutex<Told>,
}

/// What the operator has been told already.
#[derive(Debug, Default)]
struct Told {
    unheard_proxy: bool,
    store_is_down: bool,
    /// As many as guards have names and mistakes.
    worries: Vec<Worry>,
}

/// Something the operator should know while the gateway runs. Each is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Requests with `X-Forwarded-For` come from this address, which is not a trusted proxy.
    UntrustedProxy(IpAddr),
    /// The store of limits cannot answer, for this reason.
    StoreIsDown(String),
    /// It can again.
    StoreIsBack,
    /// A guard of log-ins seems not to fit its app.
    Login(Worry),
}

impl Notice {
    /// Whether nothing is wrong any more.
    #[must_use]
    pub fn is_good(&self) -> bool {
        *self == Self::StoreIsBack
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UntrustedProxy(ip) => write!(
                f,
                "requests with X-Forwarded-For come from {ip}, which is not under [client-ip] trusted-proxies: if it is your proxy, all its clients share one limit, and HTTPS is not seen"
            ),
            Self::StoreIsDown(why) => write!(f, "the store of limits: {why}; what happens until it is back is [store] on-error"),
            Self::StoreIsBack => f.write_str("the store of limits answers again"),
            Self::Login(worry) => worry.fmt(f),
        }
    }
}

impl Shared {
    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A worker's view of the policy: looks at a number per request, and at the lock only when it has changed.
#[derive(Debug)]
pub(crate) struct Current {
    shared: Arc<Shared>,
    seen: RefCell<(u64, Arc<Policy>)>,
}

impl Current {
    fn new(shared: Arc<Shared>) -> Rc<Self> {
        let generation = shared.generation.load(Ordering::Acquire);
        let policy = shared.policy();
        Rc::new(Self { shared, seen: RefCell::new((generation, policy)) })
    }

    /// Notes that somebody who is not trusted speaks for others.
    #[cold]
    pub(crate) fn unheard_proxy(&self, ip: IpAddr) {
        let _ = self.shared.unheard_proxy.set(ip);
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        let generation = self.shared.generation.load(Ordering::Acquire);
        let mut seen = self.seen.borrow_mut();
        if seen.0 != generation {
            *seen = (generation, self.shared.policy());
        }
        seen.1.clone()
    }
}

impl Handle {
    /// Swaps the policy. Requests in flight finish under the old one; the listening address, the number of threads, the
    /// connection caps and the form of the log stay as they were started.
    pub fn reload(&self, policy: Policy) {
        for store in [&self.shared.store, &self.shared.devices] {
            store.choose(policy.store.as_ref());
        }
        *self.shared.policy.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
        self.shared.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// The next thing that should be known by now and has not been told.
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        let mut told = self.shared.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(proxy) = self.shared.unheard_proxy.get().filter(|_| !told.unheard_proxy) {
            told.unheard_proxy = true;
            return Some(Notice::UntrustedProxy(*proxy));
        }
        if let Some(worry) = self.shared.policy().worries().into_iter().find(|worry| !told.worries.contains(worry)) {
            told.worries.push(worry.clone());
            return Some(Notice::Login(worry));
        }
        let trouble = self.shared.store.trouble();
        let is_news = trouble.is_some() != told.store_is_down;
        told.store_is_down = trouble.is_some();
        is_news.then(|| trouble.map_or(Notice::StoreIsBack, Notice::StoreIsDown))
    }

    /// Accepts no more and lets requests in flight finish; [`Gateway::run`] then returns.
    pub fn stop(&self) {
        self.stop.stop();
    }
}

impl Gateway {
    /// Takes the address.
    ///
    /// # Errors
    /// The address is in use, or not ours to take.
    pub fn bind(policy: Policy) -> io::Result<Self> {
        let socket = bind(policy.listen)?;
        let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let admin = policy.admin.map(|address| {
            let bound = bind(address).and_then(|s| s.listen(BACKLOG).map(|()| s));
            bound.map_err(|e| io::Error::other(format!("[admin] listen {address}: {e}; choose another address")))
        });
        let (admin, admin_socket) = (admin.transpose()?, policy.admin_socket.as_deref().map(AdminSocket::bind).transpose()?);
        let (stop, drain) = stopper();
        let store = Arc::new(LimitStore::default());
        // Known browsers have a table of their own, which no flood of strangers reaches.
        let devices = Arc::new(LimitStore::with_capacity(1 << 16));
        for store in [&store, &devices] {
            store.choose(policy.store.as_ref());
        }
        let shared = Arc::new(Shared {
            generation: AtomicU64::new(0),
            policy: Mutex::new(Arc::new(policy)),
            unheard_proxy: OnceLock::new(),
            store,
            devices,
            told: Mutex::default(),
        });
        Ok(Self { socket, address, admin, admin_socket, shared, stop, drain })
    }

    /// Opens the door: from here on connections are queued, and served when [`Gateway::run`] begins.
    ///
    /// # Errors
    /// Another program has begun to listen on the address since.
    pub fn listen(&self) -> io::Result<()> {
        self.socket.listen(BACKLOG)
    }

    /// The address it has; the port is known even if the policy said 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle to stop it or change its policy with.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { shared: self.shared.clone(), stop: self.stop.clone() }
    }

    /// Serves until stopped; requests in flight have until the drain timeout. The access log goes to `log`.
    ///
    /// # Errors
    /// Another program has begun to listen on the address since, or a worker could not be started.
    pub fn run(self, log: impl Write + Send + 'static) -> io::Result<()> {
        self.listen()?;
        let listener: TcpListener = self.socket.into();
        let policy = self.shared.policy();
        let threads = match policy.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        let caps = Caps::new(policy.settings.max_connections, policy.settings.max_connections_per_client);
        let (logger, writer) = LogWriter::start(policy.access_log, log);
        let guards = Arc::new(Guards::new(self.shared.store.clone()).devices(self.shared.devices.clone()));
        let inbox = Arc::new(Inbox::default());
        if let Some(socket) = self.admin {
            admin::start(socket.into(), inbox.clone(), self.drain.clone())?;
        }
        // Its file is there until the last worker has ended.
        let admin_socket = self.admin_socket;
        if let Some(socket) = &admin_socket {
            socket.start(Verbs::new(self.shared.clone(), self.shared.store.clone()), self.drain.clone())?;
        }
        let mut workers = Vec::new();
        for n in 0..threads {
            let worker = Worker {
                listener: listener.try_clone()?,
                shared: self.shared.clone(),
                caps: caps.clone(),
                drain: self.drain.clone(),
                guards: guards.clone(),
                inbox: inbox.clone(),
                logger: logger.clone(),
            };
            workers.push(std::thread::Builder::new().name(format!("casque-{n}")).spawn(move || worker.run())?);
        }
        drop((logger, listener));
        for worker in workers {
            match worker.join() {
                Ok(result) => result?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        writer.finish();
        drop(admin_socket);
        Ok(())
    }
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Lets a restart take the address while old connections are still in TIME_WAIT.
    socket.set_reuse_address(true)?;
    // Inherited by the connections that are accepted. A client that vanished without a word is noticed even inside a tunnel, where
    // nothing else is timed.
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(60)));
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// One thread's part.
struct Worker {
    listener: TcpListener,
    shared: Arc<Shared>,
    caps: Arc<Caps>,
    drain: Drain,
    guards: Arc<Guards<LimitStore>>,
    inbox: Arc<Inbox>,
    logger: Logger,
}

impl Worker {
    fn run(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let local = tokio::task::LocalSet::new();
        let result = local.block_on(&runtime, self.serve());
        // Tunnels and whatever else did not end in time are dropped with the set.
        drop(local);
        result
    }

    async fn serve(self) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        // A Redis that is not there must neither keep the gateway from starting nor hold up its first requests.
        for store in [&self.shared.store, &self.shared.devices] {
            tokio::task::spawn_local(store.connect());
        }
        let store = self.shared.store.clone();
        let current = Current::new(self.shared);
        let stack = stack::build(current.clone(), store, self.guards, self.inbox, self.logger, self.drain.clone());
        loop {
            let (io, peer, permit) = tokio::select! {
                biased;
                () = self.drain.begun() => break,
                accepted = accept(&listener, &self.caps, |ip| current.policy().trusted.contains(ip)) => accepted,
            };
            let settings = current.policy().settings.clone();
            tokio::task::spawn_local(connection(io, peer.ip(), stack.clone(), settings, permit, self.drain.clone()));
        }
        drop(listener);
        let drained = async {
            while self.caps.taken() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(current.policy().settings.drain_timeout, drained).await;
        Ok(())
    }
}
