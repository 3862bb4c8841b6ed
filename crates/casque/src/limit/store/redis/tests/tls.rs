//! Over TLS: whose certificates are taken, and whose are not.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::*;

/// A certification authority of the test's own, and a server of Redis that it has signed.
struct Signed {
    server: RedisServer,
    tls_port: u16,
    ca: String,
    arguments: Vec<String>,
    _folder: Folder,
}

struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Signed {
    /// A server with a port for TLS beside its plain one; `None` if there is no program to start.
    fn start(name: &str) -> Option<Self> {
        redis_server::program()?;
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
        let folder = Folder(std::env::temp_dir().join(format!("casque-tls-{:x}", rand::random::<u64>())));
        std::fs::create_dir_all(&folder.0).unwrap();
        let file = |name: &str, text: String| {
            let path = folder.0.join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let mut arguments = vec!["--tls-auth-clients".to_owned(), "no".to_owned()];
        for (option, name, text) in [
            ("--tls-cert-file", "cert.pem", certificate.pem()),
            ("--tls-key-file", "key.pem", key.serialize_pem()),
            ("--tls-ca-cert-file", "ca.pem", ca.pem()),
        ] {
            arguments.extend([option.to_owned(), file(name, text)]);
        }
        let (tls_port, mut own) = (redis_server::free_port(), arguments.clone());
        own.extend(["--tls-port".to_owned(), tls_port.to_string()]);
        let server = RedisServer::start(&own.iter().map(String::as_str).collect::<Vec<_>>())?;
        Some(Self { server, tls_port, ca: ca.pem(), arguments, _folder: folder })
    }

    fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.tls_port)
    }
}

fn store(options: RedisOptions) -> RedisStore {
    RedisStore::new(options.timeout(Duration::from_secs(5)))
}

#[tokio::test]
async fn who_signed_the_certificate_counts() {
    let Some(signed) = Signed::start("127.0.0.1") else { return };
    let limit = Limit::new("a", Quota::per_hour(5));
    let url = signed.url();
    let ours = store(RedisOptions::new(&url, SECRET).unwrap().ca(signed.ca.clone()).unwrap());
    ours.connect().await.unwrap();
    assert_eq!(passed(&ours, &limit, 2).await, 2);
    assert_eq!(left_in_redis(&signed.server, &limit).await, 3);
    assert_eq!(ours.health().failed, 0);
    // The system knows nothing of it.
    let told = store(RedisOptions::new(&url, SECRET).unwrap()).connect().await.unwrap_err().to_string();
    assert!(told.contains("certificate"), "{told}");
    let cluster = RedisOptions::cluster([url], SECRET).unwrap().ca(signed.ca.clone()).unwrap();
    let told = store(cluster).connect().await.unwrap_err().to_string();
    assert!(!told.contains("certificate"), "what it lacks is a cluster: {told}");
}

#[tokio::test]
async fn whose_certificate_it_is_counts() {
    let Some(signed) = Signed::start("redis.internal") else { return };
    let told = store(RedisOptions::new(signed.url(), SECRET).unwrap().ca(signed.ca.clone()).unwrap()).connect().await.unwrap_err();
    assert!(told.to_string().contains("certificate"), "{told}");
}

#[tokio::test]
async fn a_sentinel_and_its_server_are_asked_over_tls() {
    let Some(signed) = Signed::start("127.0.0.1") else { return };
    let tls_port = redis_server::free_port();
    let mut arguments = signed.arguments.clone();
    arguments.extend(["--tls-port".to_owned(), tls_port.to_string(), "--tls-replication".to_owned(), "yes".to_owned()]);
    let Some(_sentinel) = RedisServer::sentinel_with("mymaster", signed.tls_port, &arguments) else { return };
    let url = format!("rediss://127.0.0.1:{tls_port}");
    let watched = store(RedisOptions::sentinel([url], "mymaster", SECRET).unwrap().ca(signed.ca.clone()).unwrap());
    watched.connect().await.unwrap();
    let limit = Limit::new("a", Quota::per_hour(5));
    assert_eq!(passed(&watched, &limit, 2).await, 2);
    assert_eq!(left_in_redis(&signed.server, &limit).await, 3);
}

#[test]
fn what_cannot_be_trusted_is_told_when_it_is_given() {
    let tls = || RedisOptions::new("rediss://h", SECRET).unwrap();
    let refused = |options: RedisOptions, pem: &str| options.ca(pem).unwrap_err().to_string();
    assert!(refused(tls(), "").contains("no certificate"));
    assert!(refused(tls(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").contains("nothing can be signed"));
    assert!(refused(tls(), "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n").contains("cannot be read"));
    let made = rcgen::generate_simple_self_signed(vec!["h".to_owned()]).unwrap().cert.pem();
    assert!(refused(RedisOptions::new("redis://h", SECRET).unwrap(), &made).contains("without TLS"));
    assert!(refused(RedisOptions::sentinel(["rediss://h", "redis://i"], "m", SECRET).unwrap(), &made).contains("without TLS"));
}
