//! The access log: one line per request, written by a thread of its own so that a slow disk or a full pipe holds nobody up.
//!
//! Of the target only the path is logged: query strings carry tokens. Control bytes cannot occur in it, for the framing checks
//! let none through, but quotes can, so JSON is escaped.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use casque::RequestId;
use casque::client_ip::ClientIp;
use casque::reply::json_string;

use crate::config::AccessLog;

/// Lines that may wait for the writer. More are dropped and counted: a log that stalls must not stall the app.
const QUEUE: usize = 8192;

/// How long a stop waits for the last lines to be taken.
const FINISH: Duration = Duration::from_secs(2);

/// One request, told.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) client: Option<ClientIp>,
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
    pub(crate) id: Option<RequestId>,
    /// Whether the body was sent to its end.
    pub(crate) complete: bool,
    pub(crate) limited_by: Option<String>,
    pub(crate) would_limit: Vec<String>,
    /// Why the answer is not the app's.
    pub(crate) cause: Option<String>,
    pub(crate) cookies: Vec<&'static str>,
    /// What was done to headers that the app set itself.
    pub(crate) headers: Vec<String>,
    /// What another site made the browser ask for.
    pub(crate) cross_site: Option<&'static str>,
    /// What the login guard made of an attempt that the app looked at: which guard, and how it ended.
    pub(crate) login: Option<(String, &'static str)>,
}

impl Event {
    /// A request of which nothing is known yet but its first line.
    pub(crate) fn of(method: http::Method, path: String) -> Self {
        Self {
            client: None,
            method,
            path,
            status: 0,
            bytes: 0,
            took: Duration::ZERO,
            id: None,
            complete: false,
            limited_by: None,
            would_limit: Vec::new(),
            cause: None,
            cookies: Vec::new(),
            headers: Vec::new(),
            cross_site: None,
            login: None,
        }
    }

    fn text(&self, now: &str) -> String {
        let mut line = format!("{now} ");
        match self.client {
            Some(client) => _ = write!(line, "{client}"),
            None => line.push('-'),
        }
        let _ = write!(line, " {} {} {} {}B {}ms", self.method, self.path, self.status, self.bytes, self.took.as_millis());
        if let Some(id) = self.id {
            let _ = write!(line, " id={id}");
        }
        if let Some(limit) = &self.limited_by {
            let _ = write!(line, " limited={limit}");
        }
        if !self.would_limit.is_empty() {
            let _ = write!(line, " would-limit={}", self.would_limit.join(","));
        }
        if !self.cookies.is_empty() {
            let _ = write!(line, " cookies={}", self.cookies.join(","));
        }
        if !self.headers.is_empty() {
            let _ = write!(line, " headers={}", self.headers.join(","));
        }
        if let Some(what) = self.cross_site {
            let _ = write!(line, " cross-site={what}");
        }
        if let Some((guard, ended)) = &self.login {
            let _ = write!(line, " login={guard}:{ended}");
        }
        if !self.complete {
            line.push_str(" incomplete");
        }
        if let Some(cause) = &self.cause {
            // Some of it is an error's text: one line must stay one line.
            let cause: String = cause.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = write!(line, " ({cause})");
        }
        line.push('\n');
        line
    }

    fn json(&self, now: &str) -> String {
        let mut line = format!("{{\"time\":\"{now}\"");
        if let Some(client) = self.client {
            let _ = write!(line, ",\"client\":\"{client}\"");
        }
        let _ = write!(
            line,
            ",\"method\":{},\"path\":{},\"status\":{},\"bytes\":{},\"ms\":{:.3},\"complete\":{}",
            json_string(self.method.as_str()),
            json_string(&self.path),
            self.status,
            self.bytes,
            self.took.as_secs_f64() * 1000.0,
            self.complete
        );
        if let Some(id) = self.id {
            let _ = write!(line, ",\"id\":\"{id}\"");
        }
        if let Some(limit) = &self.limited_by {
            let _ = write!(line, ",\"limited\":{}", json_string(limit));
        }
        let mut list = |key: &str, items: &mut dyn Iterator<Item = String>| {
            let items: Vec<String> = items.collect();
            if !items.is_empty() {
                let _ = write!(line, ",\"{key}\":[{}]", items.join(","));
            }
        };
        list("would-limit", &mut self.would_limit.iter().map(|s| json_string(s)));
        list("cookies", &mut self.cookies.iter().map(|s| json_string(s)));
        list("headers", &mut self.headers.iter().map(|s| json_string(s)));
        if let Some(what) = self.cross_site {
            let _ = write!(line, ",\"cross-site\":\"{what}\"");
        }
        if let Some((guard, ended)) = &self.login {
            let _ = write!(line, ",\"login\":{{\"guard\":{},\"ended\":\"{ended}\"}}", json_string(guard));
        }
        if let Some(cause) = &self.cause {
            let _ = write!(line, ",\"cause\":{}", json_string(cause));
        }
        line.push_str("}\n");
        line
    }
}

/// Hands events to the writer. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Logger {
    form: AccessLog,
    queue: Option<SyncSender<Event>>,
    dropped: Arc<AtomicU64>,
}

impl Logger {
    pub(crate) fn is_on(&self) -> bool {
        self.form != AccessLog::Off
    }

    pub(crate) fn log(&self, event: Event) {
        if let Some(queue) = &self.queue
            && let Err(TrySendError::Full(_)) = queue.try_send(event)
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct LogWriter {
    /// Hung up on when everything is written.
    done: Option<Receiver<()>>,
}

impl LogWriter {
    /// Starts writing to `out`. Ends when the last [`Logger`] is gone.
    pub(crate) fn start(form: AccessLog, out: impl Write + Send + 'static) -> (Logger, Self) {
        let dropped = Arc::new(AtomicU64::new(0));
        if form == AccessLog::Off {
            return (Logger { form, queue: None, dropped }, Self { done: None });
        }
        let (queue, events) = sync_channel(QUEUE);
        let lost = dropped.clone();
        let (writing, done) = sync_channel(0);
        let started = std::thread::Builder::new().name("casque-log".to_owned()).spawn(move || {
            write_all(form, &events, &lost, out);
            drop(writing);
        });
        (Logger { form, queue: Some(queue), dropped }, Self { done: started.is_ok().then_some(done) })
    }

    /// Waits until everything is written, but not long for a reader that has stalled. All loggers must be gone.
    pub(crate) fn finish(self) {
        if let Some(done) = self.done {
            let _ = done.recv_timeout(FINISH);
        }
    }
}

fn write_all(form: AccessLog, events: &Receiver<Event>, lost: &AtomicU64, out: impl Write) {
    let mut out = std::io::BufWriter::new(out);
    loop {
        let event = match events.try_recv() {
            Ok(event) => event,
            Err(_) => {
                // Nothing waits: what was written is shown before the next event is.
                let _ = out.flush();
                match events.recv_timeout(Duration::from_secs(60)) {
                    Ok(event) => event,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let line = if form == AccessLog::Json { event.json(&now) } else { event.text(&now) };
        // A log that cannot be written (a closed pipe) is no reason to stop serving.
        let _ = out.write_all(line.as_bytes());
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let line = if form == AccessLog::Json {
                format!("{{\"time\":\"{now}\",\"lost-lines\":{lost}}}\n")
            } else {
                format!("{now} {lost} lines were lost: the log is read too slowly\n")
            };
            let _ = out.write_all(line.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            status: 429,
            bytes: 12,
            took: Duration::from_millis(3),
            limited_by: Some("login".to_owned()),
            would_limit: vec!["api".to_owned()],
            cause: Some("x\ny".to_owned()),
            cookies: vec!["secure_added"],
            headers: vec!["x-frame-options:replaced".to_owned()],
            cross_site: None,
            login: Some(("form".to_owned(), "failure")),
            ..Event::of(http::Method::POST, "/a\"b".to_owned())
        }
    }

    #[test]
    fn json_lines_are_json() {
        let line = event().json("2026-01-01T00:00:00.000Z");
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(json["path"], "/a\"b");
        assert_eq!(json["limited"], "login");
        assert_eq!(json["would-limit"][0], "api");
        assert_eq!((&json["login"]["guard"], &json["login"]["ended"]), (&"form".into(), &"failure".into()));
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn text_lines_tell_the_same() {
        let line = event().text("2026-01-01T00:00:00.000Z");
        assert!(line.starts_with(
            "2026-01-01T00:00:00.000Z - POST /a\"b 429 12B 3ms limited=login would-limit=api cookies=secure_added headers=x-frame-options:replaced login=form:failure incomplete"
        ));
    }

    #[test]
    fn everything_logged_is_written_before_the_writer_ends() {
        #[derive(Clone, Default)]
        struct Shared(Arc<std::sync::Mutex<Vec<u8>>>);
        impl Write for Shared {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let out = Shared::default();
        let (logger, writer) = LogWriter::start(AccessLog::Text, out.clone());
        for _ in 0..100 {
            logger.log(event());
        }
        drop(logger);
        writer.finish();
        assert_eq!(String::from_utf8(out.0.lock().unwrap().clone()).unwrap().lines().count(), 100);
    }
}
