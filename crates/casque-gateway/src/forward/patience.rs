//! How long an app may think. One ticker per worker watches all its waiting requests, because a timer per request would cost more
//! than everything else that is done for it.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;

use super::body::Progress;

/// How finely time is told.
const TICK: Duration = Duration::from_millis(100);

/// A worker's waiting requests.
#[derive(Debug, Default)]
pub(super) struct Patience {
    ticks: Cell<u64>,
    waiting: RefCell<Waiting>,
    begun: Notify,
    ticking: Cell<bool>,
}

#[derive(Debug, Default)]
struct Waiting {
    slots: Vec<Option<Rc<Request>>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Request {
    progress: Rc<Progress>,
    limit: u64,
    since: Cell<u64>,
    frames: Cell<u64>,
    expired: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// A request's place in the list; freed when dropped.
struct Place<'p> {
    patience: &'p Patience,
    at: usize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.patience.waiting.borrow_mut();
        waiting.slots[self.at] = None;
        waiting.free.push(self.at);
    }
}

/// The app did not answer in time.
#[derive(Debug)]
pub(super) struct Expired;

impl Patience {
    /// Waits for `sending` for at most `limit` (zero: for ever), not counting the time in which the request's body still moves or
    /// its client is waited for.
    pub(super) async fn wait<T>(
        self: &Rc<Self>,
        sending: impl Future<Output = T>,
        progress: &Rc<Progress>,
        limit: Duration,
    ) -> Result<T, Expired> {
        if limit.is_zero() {
            return Ok(sending.await);
        }
        let limit = u64::try_from(limit.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX);
        let request = Rc::new(Request {
            progress: progress.clone(),
            limit,
            since: Cell::new(self.ticks.get()),
            frames: Cell::new(0),
            expired: Cell::new(false),
            waker: RefCell::default(),
        });
        let _place = self.place(request.clone());
        let mut sending = std::pin::pin!(sending);
        poll_fn(|cx| {
            if let Poll::Ready(sent) = sending.as_mut().poll(cx) {
                return Poll::Ready(Ok(sent));
            }
            if request.expired.get() {
                return Poll::Ready(Err(Expired));
            }
            let mut waker = request.waker.borrow_mut();
            if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
                *waker = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    fn place(self: &Rc<Self>, request: Rc<Request>) -> Place<'_> {
        if !self.ticking.replace(true) {
            tokio::task::spawn_local(self.clone().tick());
        }
        let mut waiting = self.waiting.borrow_mut();
        if waiting.free.len() == waiting.slots.len() {
            self.begun.notify_one();
        }
        let at = match waiting.free.pop() {
            Some(at) => {
                waiting.slots[at] = Some(request);
                at
            }
            None => {
                waiting.slots.push(Some(request));
                waiting.slots.len() - 1
            }
        };
        Place { patience: self, at }
    }

    async fn tick(self: Rc<Self>) {
        loop {
            let nobody = {
                let waiting = self.waiting.borrow();
                waiting.free.len() == waiting.slots.len()
            };
            if nobody {
                // An idle worker wakes up for nothing.
                self.begun.notified().await;
            }
            tokio::time::sleep(TICK).await;
            let now = self.ticks.get() + 1;
            self.ticks.set(now);
            for request in self.waiting.borrow().slots.iter().flatten() {
                request.look(now);
            }
        }
    }
}

impl Request {
    fn look(&self, now: u64) {
        let frames = self.progress.frames();
        if self.frames.replace(frames) != frames || self.progress.waits_for_client() {
            self.since.set(now);
        } else if now - self.since.get() > self.limit {
            // One tick more than the limit: the first was cut short by when it began.
            self.expired.set(true);
            if let Some(waker) = self.waker.borrow_mut().take() {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_is_given_and_a_late_one_is_not() {
        LocalSet::new()
            .run_until(async {
                let (patience, progress) = (Rc::new(Patience::default()), Rc::new(Progress::default()));
                for _ in 0..3 {
                    let quick = patience.wait(sleep(Duration::from_secs(4)), &progress, Duration::from_secs(5)).await;
                    assert!(quick.is_ok());
                    let start = Instant::now();
                    let slow = patience.wait(sleep(Duration::from_secs(60)), &progress, Duration::from_secs(5)).await;
                    assert!(slow.is_err());
                    assert!((5000..5300).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
                    sleep(Duration::from_secs(1000)).await;
                }
                assert!(patience.wait(sleep(Duration::from_secs(10_000)), &progress, Duration::ZERO).await.is_ok());
            })
            .await;
    }
}
