//! Where Redis is and what happens when it cannot answer.

use std::fmt;
use std::time::Duration;

use crate::limit::quota::Quota;
use crate::limit::store::creators::CREATIONS;

/// Bytes that a secret has at least.
const SECRET: usize = 32;
/// Addresses that may be named at most: of sentinels, or of a cluster's nodes to begin with.
const ADDRESSES: usize = 32;
const NO_TLS: &str = "this build has no TLS to Redis: build it with the feature `redis-tls`";

/// What happens while Redis cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The limits hold by this process's own counts, which stand where Redis's stood at its last answer, and are brought to it
    /// when it is back. Each process then lets through what the limit says.
    #[default]
    Local,
    /// Everything passes. Whoever can make Redis fail is then without limits.
    Allow,
    /// Nothing passes that a limit counts: the store's error, a 503 from the layers.
    Deny,
}

impl OnError {
    /// The names used in casque.toml.
    pub const NAMES: [(&'static str, Self); 3] = [("local", Self::Local), ("allow", Self::Allow), ("deny", Self::Deny)];
}

/// How several addresses belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Single,
    /// Sentinels that know which server is the master of this name.
    Sentinel(String),
    Cluster,
}

/// How to reach Redis or Valkey, version 5 or later.
///
/// ```
/// use casque::limit::store::redis::RedisOptions;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = "a text of 32 bytes or more, the same in every process";
/// let options = RedisOptions::new("redis://:password@127.0.0.1:6379/0", secret)?;
/// let cluster = RedisOptions::cluster(["redis://10.0.0.1:6379", "redis://10.0.0.2:6379"], secret)?;
/// let watched = RedisOptions::sentinel(["redis://10.0.0.1:26379"], "mymaster", secret)?;
/// # drop((options, cluster, watched)); Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedisOptions {
    pub(super) urls: Vec<String>,
    pub(super) kind: Kind,
    /// Certificates in PEM that a server's may be signed by, in place of the system's.
    pub(super) ca: Option<Vec<u8>>,
    pub(super) secret: Vec<u8>,
    pub(super) timeout: Duration,
    pub(super) on_error: OnError,
    pub(super) creations: Quota,
}

/// Options that no store can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionsError(String);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OptionsError {}

impl RedisOptions {
    /// One server: `redis://user:password@host:port/database`, `rediss://` for TLS (feature `redis-tls`), or `unix:///path`.
    ///
    /// The keys' names are hashed under `secret`, 32 bytes or more that all processes that are to count together share.
    ///
    /// # Errors
    /// The address cannot be read, or the secret is too short.
    pub fn new(url: impl Into<String>, secret: impl AsRef<[u8]>) -> Result<Self, OptionsError> {
        Self::of(vec![url.into()], Kind::Single, secret.as_ref())
    }

    /// A cluster, of which these nodes are known to begin with.
    ///
    /// # Errors
    /// As [`RedisOptions::new`], and there is no address.
    pub fn cluster<U: Into<String>>(urls: impl IntoIterator<Item = U>, secret: impl AsRef<[u8]>) -> Result<Self, OptionsError> {
        Self::of(urls.into_iter().map(Into::into).collect(), Kind::Cluster, secret.as_ref())
    }

    /// The server that these sentinels call the master of `name`. User, password and database of the first address are those of
    /// the master; each address's own are its sentinel's.
    ///
    /// # Errors
    /// As [`RedisOptions::new`], and there is no address.
    pub fn sentinel<U: Into<String>>(
        urls: impl IntoIterator<Item = U>,
        name: impl Into<String>,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, OptionsError> {
        Self::of(urls.into_iter().map(Into::into).collect(), Kind::Sentinel(name.into()), secret.as_ref())
    }

    fn of(urls: Vec<String>, kind: Kind, secret: &[u8]) -> Result<Self, OptionsError> {
        if urls.is_empty() || urls.len() > ADDRESSES {
            return Err(OptionsError(format!("{} addresses of Redis: name 1 to {ADDRESSES}", urls.len())));
        }
        for url in &urls {
            check_url(url).map_err(OptionsError)?;
        }
        if secret.len() < SECRET {
            let length = secret.len();
            return Err(OptionsError(format!("a secret of {length} bytes: take {SECRET} or more, such as `openssl rand -hex 32` prints")));
        }
        let (secret, timeout, creations) = (secret.to_owned(), Duration::from_millis(50), Quota::per_hour(CREATIONS));
        Ok(Self { urls, kind, ca: None, secret, timeout, on_error: OnError::Local, creations })
    }

    /// How many keys of each limit one creator may begin, where charges name one. Default: 100 an hour.
    #[must_use]
    pub fn creations(mut self, quota: Quota) -> Self {
        self.creations = quota;
        self
    }

    /// The certificates, in PEM, that servers of `rediss://` must be signed by. Default: those that the system trusts. The names of
    /// servers are checked either way.
    ///
    /// # Errors
    /// There is no certificate in it, an address does not ask for TLS, or this build has no TLS to Redis.
    pub fn ca(mut self, pem: impl Into<Vec<u8>>) -> Result<Self, OptionsError> {
        let pem = pem.into();
        check_ca(&pem).map_err(OptionsError)?;
        if !self.urls.iter().all(|url| is_tls(url)) {
            return Err(OptionsError("certificates for an address without TLS: begin it with `rediss:`".to_owned()));
        }
        self.ca = Some(pem);
        Ok(self)
    }

    /// How long a decision may take; 1 ms at least. Default: 50 ms.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// What happens while Redis cannot answer. Default: [`OnError::Local`].
    #[must_use]
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.on_error = on_error;
        self
    }

    /// What happens while Redis cannot answer.
    #[must_use]
    pub fn when_it_fails(&self) -> OnError {
        self.on_error
    }

    /// The addresses without users and passwords, for people to read.
    #[must_use]
    pub fn addresses(&self) -> String {
        let shown: Vec<String> = self.urls.iter().map(|url| without_password(url)).collect();
        match &self.kind {
            Kind::Single => shown.concat(),
            Kind::Cluster => format!("cluster {}", shown.join(", ")),
            Kind::Sentinel(name) => format!("{name} of sentinels {}", shown.join(", ")),
        }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither passwords nor the secret.
        f.debug_struct("RedisOptions")
            .field("addresses", &self.addresses())
            .field("timeout", &self.timeout)
            .field("on_error", &self.on_error)
            .finish_non_exhaustive()
    }
}

/// Whether an address can be read; the error says what would be right and repeats nothing of it.
///
/// # Errors
/// What would have been right, as a sentence fragment.
pub fn check_url(url: &str) -> Result<(), String> {
    const HELP: &str =
        "expected \"redis://host:6379\", with \"user:password@\" before the host and \"/database\" after the port if need be";
    let (scheme, rest) = url.split_once(':').ok_or(HELP)?;
    match scheme {
        "redis" | "valkey" | "unix" | "redis+unix" | "valkey+unix" => {}
        "rediss" | "valkeys" if cfg!(feature = "redis-tls") => {}
        "rediss" | "valkeys" => return Err(NO_TLS.to_owned()),
        _ => return Err(HELP.to_owned()),
    }
    if rest.contains('#') {
        return Err("take the part from `#` on out: certificates are always checked".to_owned());
    }
    redis::Client::open(url).map(|_| ()).map_err(|_| HELP.to_owned())
}

/// Whether an address asks for TLS.
pub(super) fn is_tls(url: &str) -> bool {
    matches!(url.split_once(':'), Some(("rediss" | "valkeys", _)))
}

#[cfg(feature = "redis-tls")]
fn check_ca(pem: &[u8]) -> Result<(), String> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| format!("a certificate in PEM that cannot be read: {e}"))?;
        roots.add(certificate).map_err(|e| format!("a certificate that nothing can be signed by: {e}"))?;
    }
    if roots.is_empty() { Err("no certificate: expected PEM, `-----BEGIN CERTIFICATE-----`".to_owned()) } else { Ok(()) }
}

#[cfg(not(feature = "redis-tls"))]
fn check_ca(_: &[u8]) -> Result<(), String> {
    Err(NO_TLS.to_owned())
}

fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("redis", url));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = path.split(['?', '#']).next().unwrap_or("");
    if path.is_empty() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn what_no_store_can_have_is_told_without_its_secrets() {
        for (url, told) in [
            ("localhost:6379", "expected \"redis://host:6379\""),
            ("http://user:hunter2@h", "expected"),
            ("redis://", "expected"),
            ("redis://user:hunter2@h/notanumber", "expected"),
            ("rediss://h#insecure", "always checked"),
        ] {
            let error = RedisOptions::new(url, SECRET).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{url}: {error}");
        }
        assert!(RedisOptions::new("redis://h", "short").unwrap_err().to_string().contains("5 bytes"));
        assert!(RedisOptions::cluster(Vec::<String>::new(), SECRET).is_err());
    }

    #[test]
    fn nothing_secret_is_printed() {
        let options = RedisOptions::new("redis://user:hunter2@redis.internal:6380/3?protocol=resp3", SECRET).unwrap();
        assert_eq!(options.addresses(), "redis://redis.internal:6380/3");
        let sentinel = RedisOptions::sentinel(["redis://a:hunter2@b:26379", "redis://c"], "mymaster", SECRET).unwrap();
        assert_eq!(sentinel.addresses(), "mymaster of sentinels redis://b:26379, redis://c");
        for printed in [format!("{options:?}"), format!("{sentinel:?}")] {
            assert!(!printed.contains("hunter2") && !printed.contains(SECRET), "{printed}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_address_panics(url in "(redis|rediss|unix|x)?:?/{0,3}[a-z0-9:@/?#\\[\\]%.-]{0,30}") {
            let _ = check_url(&url);
            without_password(&url);
        }
    }
}
