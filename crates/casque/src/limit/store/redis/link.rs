//! One connection for each thread that asks: a worker with a runtime of its own shares nothing on the way.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use redis::Value;
use tokio::sync::watch;

use super::script::Call;
use super::server::{Connection, Server, Trouble};

thread_local! {
    /// The links of this thread, by the server that they lead to. They end with the thread.
    static LINKS: RefCell<Vec<(Weak<Server>, Arc<Link>)>> = const { RefCell::new(Vec::new()) };
}

type Attempt = watch::Receiver<Option<Result<Connection, Trouble>>>;

/// A thread's way to a server.
#[derive(Default)]
pub(super) struct Link {
    attempt: Mutex<Option<(u64, Attempt)>>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    /// This thread's link to a server.
    pub(super) fn to(server: &Arc<Server>) -> Arc<Self> {
        LINKS.with_borrow_mut(|links| {
            if let Some((_, link)) = links.iter().find(|(to, _)| std::ptr::eq(to.as_ptr(), Arc::as_ptr(server))) {
                return link.clone();
            }
            links.retain(|(to, _)| to.strong_count() > 0);
            let link = Arc::new(Self::default());
            links.push((Arc::downgrade(server), link.clone()));
            link
        })
    }

    /// Asks; connects first if need be. Connections of an earlier `epoch` are not used any more.
    ///
    /// A connection may have broken while nobody used it, which only its next user notices; he asks once more. If Redis had
    /// charged and only the answer was lost, it charges twice: strict, and never the other way round.
    pub(super) async fn ask(&self, server: &Arc<Server>, epoch: u64, call: &Call) -> Result<Value, Trouble> {
        match self.ask_once(server, epoch, call).await {
            (Err(Trouble::Connection(_)), true) => self.ask_once(server, epoch, call).await.0,
            (answer, _) => answer,
        }
    }

    /// Also whether there was a connection to ask on.
    async fn ask_once(&self, server: &Arc<Server>, epoch: u64, call: &Call) -> (Result<Value, Trouble>, bool) {
        let mut attempt = match self.attempt(server, epoch) {
            Ok(attempt) => attempt,
            Err(trouble) => return (Err(trouble), false),
        };
        let connected = attempt.wait_for(Option::is_some).await.ok().and_then(|result| result.clone());
        let mut connection = match connected {
            Some(Ok(connection)) => connection,
            Some(Err(trouble)) => return (Err(trouble), false),
            None => return (Err(Trouble::Connection("connecting was given up".to_owned())), false),
        };
        let answer = match connection.ask(&call.by_hash()).await {
            Ok(None) => connection.ask(&call.in_full()).await,
            other => other,
        };
        if matches!(answer, Err(Trouble::Connection(_))) {
            self.forget(&attempt);
        }
        let not_known = || Trouble::Server("it does not know a script that it was just given".to_owned());
        (answer.and_then(|value| value.ok_or_else(not_known)), true)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u64, Attempt)>> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses a connection no more, unless there is a newer one already.
    fn forget(&self, broken: &Attempt) {
        self.lock().take_if(|(_, attempt)| attempt.same_channel(broken));
    }

    /// The connection that is there or on its way; else a new one. Connecting is a task of its own, so that it goes on when the
    /// decision that began it waits no longer.
    fn attempt(&self, server: &Arc<Server>, epoch: u64) -> Result<Attempt, Trouble> {
        let mut attempt = self.lock();
        if let Some((of, known)) = &*attempt {
            let hopeful = match &*known.borrow() {
                Some(result) => result.is_ok(),
                None => known.has_changed().is_ok(),
            };
            if hopeful && *of == epoch {
                return Ok(known.clone());
            }
        }
        let runtime =
            tokio::runtime::Handle::try_current().map_err(|_| Trouble::Connection("it is asked outside of a tokio runtime".to_owned()))?;
        let (tell, new) = watch::channel(None);
        let server = server.clone();
        runtime.spawn(async move {
            let _ = tell.send(Some(server.connect().await));
        });
        *attempt = Some((epoch, new.clone()));
        Ok(new)
    }
}
