//! A body that was looked at and goes on as it came.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// A body of which the beginning may have been read already. What comes out is byte for byte what went in, trailers too.
#[derive(Debug)]
pub struct Replay<B> {
    /// What was read and is yet to go on.
    read: Bytes,
    /// Trailers that came after it. There is nothing more then.
    trailers: Option<HeaderMap>,
    /// What was not read.
    rest: B,
    ended: bool,
}

impl<B> Replay<B> {
    /// A body of which nothing was read.
    pub fn through(rest: B) -> Self {
        Self { read: Bytes::new(), trailers: None, rest, ended: false }
    }
}

impl<B: From<Bytes>> From<Bytes> for Replay<B> {
    fn from(bytes: Bytes) -> Self {
        Self::through(bytes.into())
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Replay<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        if !this.read.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.read)))));
        }
        if let Some(trailers) = this.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        if this.ended { Poll::Ready(None) } else { Pin::new(&mut this.rest).poll_frame(cx) }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.trailers.is_none() && (self.ended || self.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.len() as u64;
        if self.ended {
            return SizeHint::with_exact(read);
        }
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

/// A body that is being read, up to a bound.
#[derive(Debug)]
pub(super) struct Gather<B> {
    body: Replay<B>,
    more: BytesMut,
    most: usize,
}

impl<B: Body<Data = Bytes> + Unpin> Gather<B> {
    /// Reads until the body ends or more than `most` bytes are there.
    pub(super) fn new(body: B, most: usize) -> Self {
        Self { body: Replay::through(body), more: BytesMut::new(), most }
    }

    /// Ready when there is nothing left to read, or enough was read.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), B::Error>> {
        while !self.has_ended() && self.read_bytes() <= self.most {
            let frame = match ready!(Pin::new(&mut self.body.rest).poll_frame(cx)) {
                Some(frame) => frame?,
                None => {
                    self.body.ended = true;
                    break;
                }
            };
            match frame.into_data() {
                // Most bodies that are looked at come in one piece, and then nothing is copied.
                Ok(data) if self.read_bytes() == 0 => self.body.read = data,
                Ok(data) => {
                    if self.more.is_empty() {
                        self.more.extend_from_slice(&std::mem::take(&mut self.body.read));
                    }
                    self.more.extend_from_slice(&data);
                }
                Err(frame) => {
                    self.body.trailers = frame.into_trailers().ok();
                    self.body.ended = true;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// What was read.
    pub(super) fn bytes(&self) -> &[u8] {
        if self.more.is_empty() { &self.body.read } else { &self.more }
    }

    /// Whether that is all of the body, and no more than was to be read.
    pub(super) fn is_whole(&self) -> bool {
        self.has_ended() && self.read_bytes() <= self.most
    }

    fn has_ended(&self) -> bool {
        self.body.ended || self.body.rest.is_end_stream()
    }

    /// The body as it came.
    pub(super) fn into_body(mut self) -> Replay<B> {
        if !self.more.is_empty() {
            self.body.read = self.more.freeze();
        }
        self.body
    }

    fn read_bytes(&self) -> usize {
        self.bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::task::Waker;

    use super::*;

    /// A body of given frames, each of which makes its reader wait once.
    struct Frames(VecDeque<Frame<Bytes>>, bool);

    impl Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.1 = !self.1;
            if self.1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(self.0.pop_front().map(Ok))
        }
    }

    fn frames(data: &[Vec<u8>], trailers: bool) -> Frames {
        let mut frames: VecDeque<_> = data.iter().map(|d| Frame::data(Bytes::copy_from_slice(d))).collect();
        if trailers {
            frames.push_back(Frame::trailers([(http::header::ETAG, "x".parse().unwrap())].into_iter().collect()));
        }
        Frames(frames, false)
    }

    fn drive<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(done) = poll(&mut cx) {
                return done;
            }
        }
    }

    fn all(mut body: impl Body<Data = Bytes, Error = Infallible> + Unpin) -> (Vec<u8>, bool) {
        let (mut out, mut trailers) = (Vec::new(), false);
        while let Some(Ok(frame)) = drive(|cx| Pin::new(&mut body).poll_frame(cx)) {
            match frame.into_data() {
                Ok(data) => out.extend_from_slice(&data),
                Err(_) => trailers = true,
            }
        }
        (out, trailers)
    }

    proptest::proptest! {
        #[test]
        fn what_comes_out_is_what_went_in(data: Vec<Vec<u8>>, trailers: bool, most in 0usize..64) {
            let whole: Vec<u8> = data.concat();
            let mut gather = Gather::new(frames(&data, trailers), most);
            drive(|cx| gather.poll(cx)).unwrap();
            proptest::prop_assert!(whole.starts_with(gather.bytes()));
            if gather.is_whole() {
                proptest::prop_assert_eq!(gather.bytes(), &whole[..]);
            } else {
                proptest::prop_assert!(gather.bytes().len() > most);
            }
            let body = gather.into_body();
            let hint = body.size_hint();
            proptest::prop_assert!(hint.lower() <= whole.len() as u64 && hint.upper().is_none_or(|u| u >= whole.len() as u64));
            proptest::prop_assert_eq!(all(body), (whole, trailers));
        }
    }
}
