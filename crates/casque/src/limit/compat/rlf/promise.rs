//! A result that somebody waits for.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The one who waits.
pub(super) struct Promise<T>(Arc<Mutex<Slot<T>>>);

/// The one who knows, some time. Dropped without a word, nobody waits any longer: the promise gives `None`.
pub(super) struct Resolver<T>(Arc<Mutex<Slot<T>>>);

struct Slot<T> {
    value: Option<T>,
    waker: Option<Waker>,
    given_up: bool,
}

pub(super) fn promise<T>() -> (Resolver<T>, Promise<T>) {
    let slot = Arc::new(Mutex::new(Slot { value: None, waker: None, given_up: false }));
    (Resolver(slot.clone()), Promise(slot))
}

fn lock<T>(slot: &Mutex<Slot<T>>) -> MutexGuard<'_, Slot<T>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Resolver<T> {
    /// Whether somebody still waits.
    pub(super) fn is_awaited(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(super) fn resolve(self, value: T) {
        lock(&self.0).value = Some(value);
    }
}

impl<T> Drop for Resolver<T> {
    fn drop(&mut self) {
        let mut slot = lock(&self.0);
        slot.given_up = true;
        if let Some(waker) = slot.waker.take() {
            waker.wake();
        }
    }
}

impl<T> Future for Promise<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = lock(&self.0);
        if let Some(value) = slot.value.take() {
            return Poll::Ready(Some(value));
        }
        if slot.given_up {
            return Poll::Ready(None);
        }
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Begins a piece of work: its result, if it is known at once.
pub(super) async fn begun<F: Future + Unpin>(work: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *work).poll(cx))).await
}

/// Waits for all, at the same time.
pub(super) async fn all<F: Future + Unpin>(mut calls: Vec<F>) -> Vec<F::Output> {
    let mut answers: Vec<Option<F::Output>> = calls.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (call, answer) in calls.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(ready) = Pin::new(call).poll(cx) {
                *answer = Some(ready);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// Lets others who began at the same time go first.
#[derive(Default)]
pub(super) struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_promise_is_kept_or_given_up_but_never_waits_for_nobody() {
        let (resolver, promise) = promise();
        assert!(resolver.is_awaited());
        tokio::spawn(async move { resolver.resolve(7) });
        assert_eq!(promise.await, Some(7));
        let (resolver, promise) = super::promise::<u8>();
        tokio::spawn(async move { drop(resolver) });
        assert_eq!(promise.await, None);
        let (resolver, promise) = super::promise::<u8>();
        drop(promise);
        assert!(!resolver.is_awaited());
    }

    #[tokio::test(start_paused = true)]
    async fn all_wait_at_the_same_time_and_stay_in_order() {
        let begin = tokio::time::Instant::now();
        let after = |ms: u64| {
            Box::pin(async move {
                tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                ms
            })
        };
        assert_eq!(all(vec![after(30), after(10), after(20)]).await, [30, 10, 20]);
        assert_eq!(begin.elapsed().as_millis(), 30);
        assert!(all(Vec::<Pin<Box<dyn Future<Output = u8>>>>::new()).await.is_empty());
    }
}
