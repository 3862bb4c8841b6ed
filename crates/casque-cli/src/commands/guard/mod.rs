//! `casque guard`: the gateway, in front of an app that runs already or is started here.

mod app;
mod grades;
mod orphan;
mod signals;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use casque_gateway::config::Upstream;
use casque_gateway::policy::{Overrides, summary};
use casque_gateway::{Config, Gateway, Handle, Policy};

use self::app::App;
use self::signals::{Signal, Signals};
use crate::cli::GuardArgs;
use crate::exit::Exit;
use crate::policy_file::{DEFAULT_NAME, PolicyFile};
use crate::printer::{self, BOLD, DIM};
use crate::{env, login_secret};

/// How long an app may take to open its port.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// How long an app may take to end after it was told to.
const END_PATIENCE: Duration = Duration::from_secs(10);
/// How often the gateway is asked for news.
const NOTICE_INTERVAL: Duration = Duration::from_secs(1);
/// When to say that an app has not opened its port yet.
const START_HINT: Duration = Duration::from_secs(10);

pub(crate) fn run(args: &GuardArgs) -> Result<Exit, String> {
    raise_descriptor_limit();
    let file = PolicyFile::find(args.config.as_deref())?;
    let port = if args.app.is_empty() { None } else { Some(free_port().map_err(|e| format!("cannot find a free port for the app: {e}"))?) };
    let over = Overrides {
        listen: args.listen,
        upstream: port.map(|port| Upstream::Tcp { host: "127.0.0.1".to_owned(), port }).or_else(|| args.upstream.clone()),
        variable: Some(env::secret),
        ..Overrides::default()
    };
    let read = file.read(&over);
    if read.count.errors > 0 {
        return Err(format!("{} in {}; nothing was started", read.count.in_words(), file_name(&file)));
    }
    let Some(policy) = read.policy else {
        return Err(format!("which app? Use `casque guard -- COMMAND`, `--upstream URL`, or `url` under [upstream] in {DEFAULT_NAME}"));
    };
    let (listen, store) = (policy.listen(), policy.store());
    // Taken before the app is started: an address in use must not cost an app start.
    let gateway = Gateway::bind(policy).map_err(|e| cannot_listen(listen, &e))?;
    let address = gateway.address();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| format!("cannot start: {e}"))?;
    runtime.block_on(async {
        // Signals are caught before there is anything that they could orphan.
        let mut signals = Signals::catch().map_err(|e| format!("cannot catch signals: {e}"))?;
        let guard = Guard { file, over, address, store, grade: !args.no_grade };
        match port {
            Some(port) => guard.with_app(gateway, &read.config, App::start(&args.app, port)?, &mut signals).await,
            None => guard.alone(gateway, &read.config, &mut signals).await,
        }
    })
}

/// What is needed to announce and to reload.
struct Guard {
    file: PolicyFile,
    over: Overrides,
    address: SocketAddr,
    /// Where the limits' state is, if not in memory.
    store: Option<String>,
    /// Whether the page is graded at start.
    grade: bool,
}

impl Guard {
    /// In front of an app that somebody else runs.
    async fn alone(&self, gateway: Gateway, config: &Config, signals: &mut Signals) -> Result<Exit, String> {
        let upstream = self.over.upstream.clone().or_else(|| config.upstream.url.as_ref().map(|u| u.value.clone()));
        if let Some(upstream) = &upstream
            && !answers(upstream)
        {
            printer::warning(format_args!("nothing accepts connections at {upstream} yet; requests get a 502 page until it does"));
        }
        self.open(&gateway)?;
        self.announce(config, upstream.as_ref());
        let handle = gateway.handle();
        let mut serving = Serving::start(gateway)?;
        let mut notices = std::pin::pin!(notices(&handle));
        let mut grades = std::pin::pin!(self.grades(upstream.as_ref()));
        let mut graded = false;
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Reload => self.reload(&handle),
                    Signal::Stop(_) => break,
                    Signal::Other(_) => {}
                },
                () = &mut notices => {}
                () = &mut grades, if !graded => graded = true,
                ended = serving.ended() => return ended.map(|()| Exit::Clean),
            }
        }
        self.drain(&handle, &mut serving, signals).await?;
        Ok(Exit::Clean)
    }

    /// In front of an app that is our child.
    async fn with_app(&self, gateway: Gateway, config: &Config, mut app: App, signals: &mut Signals) -> Result<Exit, String> {
        if let Some(exit) = wait_for_port(&mut app, signals).await? {
            return Ok(exit);
        }
        self.open(&gateway)?;
        self.announce(config, None);
        let handle = gateway.handle();
        let mut serving = Serving::start(gateway)?;
        let mut notices = std::pin::pin!(notices(&handle));
        let mut grades = std::pin::pin!(self.grades(self.over.upstream.as_ref()));
        let mut graded = false;
        let stopped_by = loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Reload => self.reload(&handle),
                    Signal::Stop(number) => break number,
                    Signal::Other(number) => app.signal(number),
                },
                exit = app.exited() => {
                    // Nothing is restarted behind anybody's back: without its app the gateway ends, with the app's own code.
                    handle.stop();
                    let _ = tokio::time::timeout(Duration::from_secs(1), serving.ended()).await;
                    printer::say(format_args!("the app {}", exit.in_words()));
                    return Ok(exit.code());
                }
                () = &mut notices => {}
                () = &mut grades, if !graded => graded = true,
                ended = serving.ended() => {
                    app.signal(15);
                    let _ = app.exited().await;
                    return ended.map(|()| Exit::Clean);
                }
            }
        };
        // Requests in flight need the app, so it is told after they are done; a second signal tells it at once.
        self.drain(&handle, &mut serving, signals).await?;
        app.signal(stopped_by);
        let exit = loop {
            tokio::select! {
                exit = app.exited() => break exit,
                Signal::Stop(number) | Signal::Other(number) = signals.next() => app.signal(number),
                () = tokio::time::sleep(END_PATIENCE) => {
                    printer::warning(format_args!("the app did not end within {} s and is killed", END_PATIENCE.as_secs()));
                    app.kill();
                }
            }
        };
        Ok(exit.code())
    }

    async fn grades(&self, upstream: Option<&Upstream>) {
        if let (true, Some(upstream)) = (self.grade, upstream) {
            grades::print(upstream, self.address).await;
        }
    }

    async fn drain(&self, handle: &Handle, serving: &mut Serving, signals: &mut Signals) -> Result<(), String> {
        handle.stop();
        loop {
            tokio::select! {
                ended = serving.ended() => return ended,
                signal = signals.next() => if matches!(signal, Signal::Stop(_)) {
                    return Ok(());
                },
            }
        }
    }

    /// Only now, when there is somebody to answer: until the app is ready a load balancer must see a closed port.
    fn open(&self, gateway: &Gateway) -> Result<(), String> {
        gateway.listen().map_err(|e| cannot_listen(self.address, &e))
    }

    fn reload(&self, handle: &Handle) {
        let again = match self.file.again() {
            Ok(file) if file.path.is_some() => file,
            Ok(_) => return printer::hint(format_args!("there is no policy file to reload; `casque init` writes one")),
            Err(error) => return printer::error(format_args!("{error}; the policy stays as it was")),
        };
        let read = again.read(&self.over);
        match read.policy {
            Some(policy) if read.count.errors == 0 => self.swap(handle, policy),
            _ => printer::error(format_args!("{} in {}; the policy stays as it was", read.count.in_words(), file_name(&again))),
        }
    }

    fn swap(&self, handle: &Handle, policy: Policy) {
        if policy.listen().port() != 0 && policy.listen() != self.address {
            printer::warning(format_args!("`listen` is {} now, but the address changes only at a restart", policy.listen()));
        }
        handle.reload(policy);
        printer::say(format_args!("reloaded {}", file_name(&self.file)));
    }

    fn announce(&self, config: &Config, upstream: Option<&Upstream>) {
        let target = upstream.map_or_else(|| "the app".to_owned(), ToString::to_string);
        printer::say(format_args!("{BOLD}casque {}{BOLD:#} guards {target}", env!("CARGO_PKG_VERSION")));
        printer::say("");
        printer::say(format_args!("{:>9}  {BOLD}http://{}{BOLD:#}", "site", self.address));
        for (what, value) in summary(config, self.store.clone()) {
            printer::say(format_args!("{what:>9}  {value}"));
        }
        if config.login_secret.is_empty() && env::secret(login_secret::DEFAULT).is_none() {
            let known = format_args!("{:>9}  {DIM}browsers are known until a restart; with CASQUE_SECRET set, for longer{DIM:#}", "");
            printer::say(known);
        }
        match &self.file.path {
            Some(path) => printer::say(format_args!("{:>9}  {}", "policy", path.display())),
            None => printer::say(format_args!("{:>9}  defaults {DIM}(`casque init` writes a file to change them){DIM:#}", "policy")),
        }
        printer::say("");
        if !self.address.ip().is_loopback() && config.client_ip.trusted_proxies.is_none() && config.client_ip.scheme.is_none() {
            printer::hint(
                "behind a TLS proxy, name it under [client-ip] trusted-proxies, or HTTPS-only headers and Secure cookies are left out",
            );
        }
    }
}

/// The gateway's threads.
struct Serving {
    ended: tokio::sync::oneshot::Receiver<io::Result<()>>,
    result: Option<Result<(), String>>,
}

impl Serving {
    fn start(gateway: Gateway) -> Result<Self, String> {
        let (tell, ended) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("casque".to_owned())
            .spawn(move || {
                let _ = tell.send(gateway.run(io::stdout()));
            })
            .map_err(|e| format!("cannot start a thread: {e}"))?;
        Ok(Self { ended, result: None })
    }

    async fn ended(&mut self) -> Result<(), String> {
        if let Some(result) = &self.result {
            return result.clone();
        }
        let result = match (&mut self.ended).await {
            Ok(result) => result.map_err(|e| format!("the gateway failed: {e}")),
            Err(_) => Err("the gateway's thread panicked".to_owned()),
        };
        self.result = Some(result.clone());
        result
    }
}

/// Says what the gateway has noticed. Never ends.
async fn notices(handle: &Handle) {
    loop {
        while let Some(notice) = handle.notice() {
            if notice.is_good() {
                printer::say(notice);
            } else {
                printer::warning(notice);
            }
        }
        tokio::time::sleep(NOTICE_INTERVAL).await;
    }
}

/// Waits until the app accepts connections; an exit code if it ended, or was told to, before that.
async fn wait_for_port(app: &mut App, signals: &mut Signals) -> Result<Option<Exit>, String> {
    let port = app.port;
    let waiting = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let mut waiting = std::pin::pin!(waiting);
    let mut hint = std::pin::pin!(tokio::time::sleep(START_HINT));
    let (mut hinted, mut told_to_end) = (false, false);
    let mut patience = std::pin::pin!(tokio::time::sleep(START_PATIENCE));
    loop {
        tokio::select! {
            () = &mut waiting => return Ok(None),
            exit = app.exited() => {
                printer::say(format_args!("the app {} before it accepted connections", exit.in_words()));
                return Ok(Some(exit.code()));
            }
            signal = signals.next() => match signal {
                Signal::Stop(number) => {
                    told_to_end = true;
                    patience.as_mut().reset(tokio::time::Instant::now() + END_PATIENCE);
                    app.signal(number);
                }
                Signal::Other(number) => app.signal(number),
                Signal::Reload => {}
            },
            () = &mut hint, if !hinted => {
                hinted = true;
                printer::hint(format_args!("the app has not opened port {port} yet; it should listen on the port in the variable PORT, on 127.0.0.1 or all addresses"));
            }
            () = &mut patience => {
                app.kill();
                let exit = app.exited().await;
                if told_to_end {
                    return Ok(Some(exit.code()));
                }
                return Err(format!("the app did not open port {port} within {} s and was ended", START_PATIENCE.as_secs()));
            }
        }
    }
}

fn file_name(file: &PolicyFile) -> String {
    file.path.as_ref().map_or_else(|| DEFAULT_NAME.to_owned(), |p| p.display().to_string())
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("cannot listen on {address}: another program does already; choose another address with --listen")
        }
        io::ErrorKind::PermissionDenied => {
            format!("cannot listen on {address}: ports below 1024 need rights; choose another with --listen")
        }
        io::ErrorKind::AddrNotAvailable => format!("cannot listen on {address}: this machine has no such address"),
        // It says itself what it is about.
        _ if error.get_ref().is_some() => error.to_string(),
        _ => format!("cannot listen on {address}: {error}"),
    }
}

/// A port that is free now. The app could lose it to another program before it opens it; then it fails, and says so.
fn free_port() -> io::Result<u16> {
    std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr().map(|a| a.port())
}

/// Whether anything accepts there right now.
fn answers(upstream: &Upstream) -> bool {
    match upstream {
        Upstream::Unix(path) => std::os::unix::net::UnixStream::connect(path).is_ok(),
        Upstream::Tcp { host, port } => {
            use std::net::ToSocketAddrs;
            let addresses = (host.as_str(), *port).to_socket_addrs();
            addresses.is_ok_and(|mut all| all.any(|a| TcpStream::connect_timeout(&a, Duration::from_millis(500)).is_ok()))
        }
    }
}

/// Every connection is a descriptor, and shells start programs with room for a thousand.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
