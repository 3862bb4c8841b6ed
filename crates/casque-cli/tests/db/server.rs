//! A server on this machine that answers as a test says.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A request's path and the fields that matter, in small letters.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    fields: BTreeMap<String, String>,
}

impl Asked {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// A server, which closes after each answer.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Asked, &mut dyn Write) + Send + Sync + 'static) -> Self {
        Self::over(answer, |stream, serve| serve(&mut { stream }))
    }

    /// The same over TLS, with a certificate of its own making; also gives the certificate.
    pub(super) fn start_tls(answer: impl Fn(&Asked, &mut dyn Write) + Send + Sync + 'static) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let server = Self::over(answer, move |stream, serve| {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            serve(&mut stream);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        });
        (server, made.cert.pem())
    }

    fn over(
        answer: impl Fn(&Asked, &mut dyn Write) + Send + Sync + 'static,
        wrap: impl Fn(TcpStream, &dyn Fn(&mut dyn ReadWrite)) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, shared) = (asked.clone(), Arc::new((answer, wrap)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, shared) = (log.clone(), shared.clone());
                std::thread::spawn(move || {
                    let (answer, wrap) = &*shared;
                    wrap(stream.unwrap(), &|stream| {
                        if let Some(one) = read_request(stream) {
                            log.lock().unwrap().push(one.clone());
                            answer(&one, &mut &mut *stream);
                        }
                    });
                });
            }
        });
        Self { port, asked }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/osv", self.port)
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.asked().into_iter().map(|asked| asked.path).collect();
        paths.sort();
        paths
    }
}

pub(super) trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

fn read_request(stream: &mut dyn ReadWrite) -> Option<Asked> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1)?.to_owned();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Some(Asked { path, fields })
}

pub(super) fn send(to: &mut dyn Write, status: &str, fields: &str, body: &[u8]) {
    let _ = write!(to, "HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = to.write_all(body);
}
