//! TLS with the trust of this machine, and what was wrong with a certificate that was accepted on request.
//!
//! rustls with ring, because both are Rust and assembly that build anywhere. Trust comes from the system's store, so that a
//! company's own authority counts here as it does in its browsers; `SSL_CERT_FILE` names another store.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use casque_scan::Address;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::FetchError;

/// How long a handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// The certificates that are trusted, read once.
#[derive(Clone)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    /// `None` when this machine trusts nobody.
    verifier: Option<Arc<WebPkiServerVerifier>>,
}

impl Trust {
    /// Reads the system's store.
    pub(crate) fn of_the_system() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().ok();
        Self { provider, verifier }
    }

    /// Makes TLS on a connection. Also says what is wrong with the certificate, which is only so when `accept_invalid`.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        address: &Address,
        accept_invalid: bool,
        deadline: Instant,
    ) -> Result<(TlsStream<TcpStream>, Option<String>), FetchError> {
        let problem = Arc::new(Mutex::new(None));
        let checker = Checker { trust: self.clone(), accept_invalid, problem: problem.clone() };
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| failed(address, &e))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(checker))
            .with_no_client_auth();
        let name = ServerName::try_from(address.host.clone()).map_err(|_| FetchError::Tls {
            address: address.origin(),
            why: "the host is no name that a certificate can have".to_owned(),
        })?;
        let until = deadline.min(Instant::now() + HANDSHAKE_LIMIT);
        let made = timeout_at(until, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
        let late = |_| FetchError::Tls { address: address.origin(), why: format!("no answer within {} s", HANDSHAKE_LIMIT.as_secs()) };
        let stream = made.map_err(late)?.map_err(|error| match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
            Some(error) => failed(address, error),
            None => FetchError::Tls { address: address.origin(), why: error.to_string() },
        })?;
        let problem = problem.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok((stream, problem))
    }
}

fn failed(address: &Address, error: &Error) -> FetchError {
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => {
            FetchError::Certificate { host: address.host.clone(), why: in_words(error) }
        }
        Error::InvalidMessage(_) => FetchError::Tls { address: address.origin(), why: "what answers there is not TLS".to_owned() },
        other => FetchError::Tls { address: address.origin(), why: other.to_string() },
    }
}

/// What is wrong with a certificate.
fn in_words(error: &Error) -> String {
    let Error::InvalidCertificate(why) = error else { return error.to_string() };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another name".to_owned(),
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::UnknownIssuer => "nobody that this machine trusts has signed it; it may be self-signed".to_owned(),
        CertificateError::Other(_) if error.to_string().contains("CaUsedAsEndEntity") => "it is self-signed".to_owned(),
        _ => error.to_string(),
    }
}

/// Checks as always, and lets what fails pass if that was asked for. That the server holds the certificate's key is checked in any
/// case.
#[derive(Debug)]
struct Checker {
    trust: Trust,
    accept_invalid: bool,
    problem: Arc<Mutex<Option<String>>>,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Checker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = match &self.trust.verifier {
            Some(verifier) => verifier.verify_server_cert(end_entity, intermediates, name, ocsp, now).map(|_| ()),
            None => Err(Error::General("this machine trusts no authority; install its `ca-certificates`, or set SSL_CERT_FILE".to_owned())),
        };
        match checked {
            Err(error) if self.accept_invalid => {
                *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(in_words(&error));
                Ok(ServerCertVerified::assertion())
            }
            Err(error) => Err(error),
            Ok(()) => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.trust.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.trust.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.provider.signature_verification_algorithms.supported_schemes()
    }
}
