//! Connections to whatever kind of Redis it is.

use std::time::Duration;

#[cfg(feature = "redis-tls")]
use redis::TlsCertificates;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError, RedisResult,
    ServerErrorKind, TlsMode, Value,
};

use super::options::{Kind, RedisOptions, is_tls};

/// How long connecting may take: name resolution, TCP, TLS and signing in. Decisions do not wait for it longer than for anything
/// else; it goes on without them.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Decisions that may wait to be written, beyond those that are on their way.
const QUEUE: usize = 1024;

/// Why Redis gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Not in time.
    TimedOut,
    /// No connection, or it broke.
    Connection(String),
    /// It answered that it cannot.
    Server(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut => f.write_str("Redis did not answer in time"),
            Self::Connection(why) => write!(f, "no connection to Redis: {why}"),
            Self::Server(why) => write!(f, "Redis cannot answer: {why}"),
        }
    }
}

impl Trouble {
    pub(super) fn no_answer() -> Self {
        Self::Server("what it says is no answer of casque's scripts".to_owned())
    }

    fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io if error.is_timeout() => Self::TimedOut,
            // A replica that was the master a moment ago: the next connection may find the new one.
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => Self::Connection(plain(error)),
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Server(plain(error)),
            _ => Self::Connection(plain(error)),
        }
    }
}

/// An error's text for a terminal: what a server wrote is a stranger's text.
fn plain(error: &RedisError) -> String {
    error.to_string().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Which server, and how to connect.
#[derive(Debug)]
pub(super) struct Server {
    options: RedisOptions,
}

/// A connection that any number of calls use at once.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Server {
    pub(super) fn new(options: RedisOptions) -> Self {
        Self { options }
    }

    /// Whether keys of one call must be in one slot.
    pub(super) fn is_cluster(&self) -> bool {
        self.options.kind == Kind::Cluster
    }

    pub(super) async fn connect(&self) -> Result<Connection, Trouble> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.connection()).await {
            Ok(result) => result.map_err(|e| Trouble::Connection(plain(&e))),
            Err(_) => Err(Trouble::TimedOut),
        }
    }

    async fn connection(&self) -> RedisResult<Connection> {
        #[cfg(feature = "redis-tls")]
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Only if the program has chosen none; another thread may do so at this moment.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        // Deadlines are the store's.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None).set_pipeline_buffer_size(QUEUE);
        // A command is small and is waited for.
        let tcp = TcpSettings::default().set_nodelay(true);
        let urls = &self.options.urls;
        let first = urls.first().map(String::as_str).unwrap_or_default().into_connection_info()?.set_tcp_settings(tcp.clone());
        match &self.options.kind {
            Kind::Single => self.client(first)?.get_multiplexed_async_connection_with_config(&config).await.map(Connection::One),
            Kind::Sentinel(name) => {
                let mut client = self.sentinels(name, first.redis_settings(), &tcp)?;
                client.get_async_connection_with_config(&config).await.map(Connection::One)
            }
            Kind::Cluster => {
                let builder = ClusterClientBuilder::new(urls.clone()).tcp_settings(tcp).connection_timeout(CONNECT_TIMEOUT).retries(2);
                let client: ClusterClient = self.trusting(builder).build()?;
                client.get_async_connection().await.map(Connection::Cluster)
            }
        }
    }

    /// The sentinels and the master that they know are signed in to alike, as the first address says.
    fn sentinels(&self, name: &str, settings: &RedisConnectionInfo, tcp: &TcpSettings) -> RedisResult<SentinelClient> {
        let addresses = self.options.urls.iter().map(|url| Ok(url.as_str().into_connection_info()?.addr().clone()));
        let addresses = addresses.collect::<RedisResult<Vec<_>>>()?;
        let mut builder = SentinelClientBuilder::new(addresses, name, SentinelServerType::Master)?
            .set_client_to_redis_db(settings.db())
            .set_client_to_redis_protocol(settings.protocol())
            .set_client_to_sentinel_protocol(settings.protocol())
            .set_client_to_redis_tcp_settings(tcp.clone())
            .set_client_to_sentinel_tcp_settings(tcp.clone());
        if let Some(user) = settings.username() {
            builder = builder.set_client_to_redis_username(user).set_client_to_sentinel_username(user);
        }
        if let Some(password) = settings.password() {
            builder = builder.set_client_to_redis_password(password).set_client_to_sentinel_password(password);
        }
        if self.options.urls.iter().all(|url| is_tls(url)) {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        #[cfg(feature = "redis-tls")]
        if let Some(certificates) = self.certificates() {
            builder = builder.set_client_to_redis_certificates(certificates.clone()).set_client_to_sentinel_certificates(certificates);
        }
        builder.build()
    }

    #[cfg(feature = "redis-tls")]
    fn certificates(&self) -> Option<TlsCertificates> {
        self.options.ca.clone().map(|ca| TlsCertificates { client_tls: None, root_cert: Some(ca) })
    }

    #[cfg(feature = "redis-tls")]
    fn client(&self, server: ConnectionInfo) -> RedisResult<Client> {
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(server, certificates),
            None => Client::open(server),
        }
    }

    #[cfg(not(feature = "redis-tls"))]
    fn client(&self, server: ConnectionInfo) -> RedisResult<Client> {
        Client::open(server)
    }

    #[cfg(feature = "redis-tls")]
    fn trusting(&self, builder: ClusterClientBuilder) -> ClusterClientBuilder {
        match self.certificates() {
            Some(certificates) => builder.certs(certificates),
            None => builder,
        }
    }

    #[cfg(not(feature = "redis-tls"))]
    fn trusting(&self, builder: ClusterClientBuilder) -> ClusterClientBuilder {
        builder
    }
}

impl Connection {
    /// The answer to a command; `None`: the server does not know the script.
    pub(super) async fn ask(&mut self, command: &Cmd) -> Result<Option<Value>, Trouble> {
        let answer = match self {
            Self::One(connection) => connection.send_packed_command(command).await,
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        };
        // A server's error comes as a value where an answer may be one of many.
        match answer.and_then(Value::extract_error) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => Ok(None),
            Err(error) => Err(Trouble::of(&error)),
        }
    }
}
