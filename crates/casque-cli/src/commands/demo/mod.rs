//! `casque demo`: a small app with the usual mistakes, bare on one port and guarded on another, and what differs.

mod app;
mod measure;
mod table;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use casque::config::Document;
use casque_gateway::config::Upstream;
use casque_gateway::policy::Overrides;
use casque_gateway::{Config, Gateway, Policy};

use self::app::ArticleApp;
use crate::cli::DemoArgs;
use crate::exit::Exit;
use crate::printer::{self, DIM};

/// The guarded side runs the defaults: what is shown is what `casque guard` does with no configuration. Only the log is off,
/// because a thousand lines would hide the table.
const POLICY: &str = "[log]\naccess = \"off\"\n";

pub(crate) fn run(args: &DemoArgs) -> Result<Exit, String> {
    let bare = listen(3000)?;
    let bare_address = bare.local_addr().map_err(|e| e.to_string())?;
    let (gateway, guarded_address) = guard(bare_address)?;
    let handle = gateway.handle();
    let serving =
        std::thread::Builder::new().name("casque".to_owned()).spawn(move || gateway.run(io::sink())).map_err(|e| e.to_string())?;

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|e| e.to_string())?;
    let result = runtime.block_on(async {
        let app = Arc::new(ArticleApp::default());
        tokio::spawn(app.clone().serve(bare));
        let bare = measure::measure(bare_address, &app).await.map_err(|e| format!("the bare app did not answer: {e}"))?;
        let guarded = measure::measure(guarded_address, &app).await.map_err(|e| format!("the guarded app did not answer: {e}"))?;
        for line in table::render(bare_address, &bare, guarded_address, &guarded) {
            printer::tell(line);
        }
        if !args.once {
            printer::say(format_args!("{DIM}Both are running; log in as ada with the password lovelace. Ctrl-C ends them.{DIM:#}"));
            let _ = tokio::signal::ctrl_c().await;
        }
        Ok(Exit::Clean)
    });
    handle.stop();
    let _ = serving.join();
    result
}

fn guard(upstream: SocketAddr) -> Result<(Gateway, SocketAddr), String> {
    let document = Document::parse(POLICY);
    let config = Config::read(&document);
    let upstream = Upstream::Tcp { host: upstream.ip().to_string(), port: upstream.port() };
    let bind = |port| {
        let listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let over = Overrides { listen, upstream: Some(upstream.clone()), ..Overrides::default() };
        let policy = Policy::compile(&config, &over, &document).expect("it has an upstream");
        Gateway::bind(policy).and_then(|g| g.listen().map(|()| g))
    };
    let gateway = bind(8080).or_else(|_| bind(0)).map_err(|e| format!("cannot listen: {e}"))?;
    let address = gateway.address();
    Ok((gateway, address))
}

/// The usual port if it is free, else any.
fn listen(port: u16) -> Result<std::net::TcpListener, String> {
    let bind = |port| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = bind(port).or_else(|_| bind(0)).map_err(|e| format!("cannot listen: {e}"))?;
    listener.set_nonblocking(true).map_err(|e| e.to_string())?;
    Ok(listener)
}
