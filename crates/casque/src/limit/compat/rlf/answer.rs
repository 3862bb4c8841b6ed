//! What limiters are asked and what they answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A limiter's answer, `RateLimiterRes` there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Res {
    /// Points that are left.
    pub remaining_points: f64,
    /// Milliseconds to the window's or the block's end; -1: never.
    pub ms_before_next: f64,
    /// Points that were used in this window.
    pub consumed_points: f64,
    /// Whether this call began the window.
    pub is_first_in_duration: bool,
}

/// Why a call did not resolve.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejected {
    /// The limit is reached.
    Limit(Res),
    /// The store could not answer, an `Error` there: nothing can be said about the limit.
    Trouble(String),
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(res) => write!(f, "the limit is reached for {} ms", res.ms_before_next),
            Self::Trouble(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Rejected {}

/// What a limiter is asked to do with a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// Use points, if they are there. A refused call is counted too.
    Consume {
        /// So many.
        points: f64,
        /// The window's seconds, if this call begins it; 0: it never ends.
        custom_duration: Option<f64>,
    },
    /// Add points. Never refuses and never blocks.
    Penalty {
        /// So many.
        points: f64,
        /// As in [`Op::Consume`].
        custom_duration: Option<f64>,
    },
    /// Take points off, also below zero: the key then has more than others.
    Reward {
        /// So many.
        points: f64,
        /// As in [`Op::Consume`].
        custom_duration: Option<f64>,
    },
    /// Look.
    Get,
    /// Put the count and the window.
    Set {
        /// So many points are used.
        points: f64,
        /// For so many seconds; 0: for ever; `None`: as each limiter has it.
        seconds: Option<f64>,
    },
    /// Refuse for so many seconds; 0: for ever.
    Block {
        /// The seconds.
        seconds: f64,
    },
    /// Forget the key.
    Delete,
}

/// What comes of an [`Op`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reply {
    /// Of all but these two.
    Res(Res),
    /// Of [`Op::Get`]; `None`: the key is not there.
    Found(Option<Res>),
    /// Of [`Op::Delete`]: whether it was there.
    Deleted(bool),
}

impl Reply {
    /// The result, if there is one in it.
    pub(super) fn res(self) -> Option<Res> {
        match self {
            Self::Res(res) => Some(res),
            Self::Found(res) => res,
            Self::Deleted(_) => None,
        }
    }
}

/// An answer to come.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply, Rejected>> + Send>>;

/// Anything that limits; `RateLimiterAbstract` there.
pub trait RateLimiter: Send + Sync + 'static {
    /// Does `op` with a key.
    fn run(self: Arc<Self>, key: String, op: Op) -> Answer;

    /// Points in a window.
    fn points(&self) -> f64;

    /// What keys begin with in the store.
    fn key_prefix(&self) -> String;

    /// The limiter that is asked when this one's store has trouble.
    fn insurance(&self) -> Option<Limiter> {
        None
    }

    /// A limiter that insures another blocks and delays as that one does.
    fn inherit(&self, block_duration: f64, exec_evenly: bool) {
        let _ = (block_duration, exec_evenly);
    }
}

/// A limiter of any class. Clones are the same limiter.
#[derive(Clone)]
pub struct Limiter(pub(super) Arc<dyn RateLimiter>);

impl<L: RateLimiter> From<L> for Limiter {
    fn from(limiter: L) -> Self {
        Self(Arc::new(limiter))
    }
}

impl<L: RateLimiter> From<Arc<L>> for Limiter {
    fn from(limiter: Arc<L>) -> Self {
        Self(limiter)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limiter({})", self.0.key_prefix())
    }
}

impl Limiter {
    /// Does `op` with a key.
    pub fn run(&self, key: &str, op: Op) -> Answer {
        Arc::clone(&self.0).run(key.to_owned(), op)
    }

    /// Uses points.
    ///
    /// # Errors
    /// The limit is reached, or the store has trouble.
    pub async fn consume(&self, key: &str, points: f64) -> Result<Res, Rejected> {
        self.res(key, Op::Consume { points, custom_duration: None }).await
    }

    /// Adds points.
    ///
    /// # Errors
    /// The store has trouble.
    pub async fn penalty(&self, key: &str, points: f64) -> Result<Res, Rejected> {
        self.res(key, Op::Penalty { points, custom_duration: None }).await
    }

    /// Takes points off.
    ///
    /// # Errors
    /// The store has trouble.
    pub async fn reward(&self, key: &str, points: f64) -> Result<Res, Rejected> {
        self.res(key, Op::Reward { points, custom_duration: None }).await
    }

    /// Looks.
    ///
    /// # Errors
    /// The store has trouble.
    pub async fn get(&self, key: &str) -> Result<Option<Res>, Rejected> {
        self.run(key, Op::Get).await.map(Reply::res)
    }

    /// Puts the count and the window.
    ///
    /// # Errors
    /// The store has trouble.
    pub async fn set(&self, key: &str, points: f64, seconds: f64) -> Result<Res, Rejected> {
        self.res(key, Op::Set { points, seconds: Some(seconds) }).await
    }

    /// Refuses for so many seconds; 0: for ever.
    ///
    /// # Errors
    /// The store has trouble.
    pub async fn block(&self, key: &str, seconds: f64) -> Result<Res, Rejected> {
        self.res(key, Op::Block { seconds }).await
    }

    /// Forgets a key; whether it was there.
    ///
    /// # Errors
    /// The store has trouble.
    pub async fn delete(&self, key: &str) -> Result<bool, Rejected> {
        Ok(matches!(self.run(key, Op::Delete).await?, Reply::Deleted(true)))
    }

    /// Points in a window.
    #[must_use]
    pub fn points(&self) -> f64 {
        self.0.points()
    }

    /// What keys begin with in the store.
    #[must_use]
    pub fn key_prefix(&self) -> String {
        self.0.key_prefix()
    }

    async fn res(&self, key: &str, op: Op) -> Result<Res, Rejected> {
        match self.run(key, op).await?.res() {
            Some(res) => Ok(res),
            None => Err(Rejected::Trouble("the limiter gave no result".to_owned())),
        }
    }
}
