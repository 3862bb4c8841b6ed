//! Sequences of calls that rate-limiter-flexible answered, run against `limit::compat::rlf`.
//!
//! Time is tokio's, paused: every wait is exact and takes no time. Sequences that were recorded on Redis run on counters in
//! memory behind the same limiter, on a real Redis if there is one to start, and on what counts while Redis cannot answer; what only
//! a look at Redis itself shows is left out. The last two take real time, all at once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use casque::clock::{Clock, Micros};
use casque::limit::compat::rlf::{
    BlackAndWhite, BlockedKeys, Brute, BruteOptions, BurstyRateLimiter, Count, Counter, Counters, Limiter, Lists, MemoryCounters, Op,
    Options, Prevented, QueueError, RateLimiterMemory, RateLimiterQueue, RateLimiterStore, RateLimiterUnion, RedisCounters, Rejected,
    Reply, Res, Runtime, Task, TimeoutOptions, Timeouts,
};
use casque::limit::store::redis::RedisOptions;
use casque::limit::{MemoryStore, RedisStore};
use serde_json::{Value, json};

use crate::group::{Group, vectors};
use crate::redis_server::{RedisServer, free_port};

/// Where ours differs in memory, by the sequence's id.
const DIFFERENT: &[(&str, &str)] = &[];

/// And where a sequence was recorded on Redis.
const DIFFERENT_FROM_REDIS: &[(&str, &str)] = &[(
    "redis/execEvenly",
    "there, two milliseconds went by between the calls, which brought the delay below the least and doubled it; time stands still here",
)];

/// Whether a sequence is one of a kind.
type Rule = fn(&Value) -> bool;

/// Where ours differs by a rule that the sequence shows.
const RULES: [(&str, Rule, &str); 2] = [
    (
        "a window of less than a second",
        |case| find(case, &|v| v["duration"].as_f64().is_some_and(|d| d > 0.0 && d < 1.0)) && of_redis(case),
        "there, Redis is told whole seconds, and half a second becomes for ever: a ban; here it is half a second",
    ),
    (
        "points in a text",
        |case| find(case, &|v| v["points"].is_string()) && of_redis(case),
        "there, a text is added up by Redis and compared as a text: never the first call; here points are numbers",
    ),
];

/// What only a Redis can be asked, which these sequences do.
const LEFT_OUT: [(&str, Rule); 3] = [
    ("a script of its own", |case| find(case, &|v| !v["customIncrTtlLuaScript"].is_null())),
    ("a look at Redis itself", |case| find(case, &|v| matches!(v["op"].as_str(), Some("keysInRedis" | "pttlInRedis" | "putRaw")))),
    ("points that Redis cannot add", |case| of_redis(case) && find(case, &|v| v["points"].as_f64().is_some_and(|p| p.fract() != 0.0))),
];

fn find(value: &Value, found: &dyn Fn(&Value) -> bool) -> bool {
    found(value)
        || match value {
            Value::Array(list) => list.iter().any(|v| find(v, found)),
            Value::Object(map) => map.values().any(|v| find(v, found)),
            _ => false,
        }
}

fn of_redis(case: &Value) -> bool {
    find(&case["limiter"], &|v| v["type"].as_str().is_some_and(|t| t.starts_with("redis")))
}

/// tokio's paused time, begun when the recordings were.
#[derive(Clone, Copy)]
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    fn now(&self) -> Micros {
        Micros(1_700_000_000_000_000).after(self.0.elapsed())
    }
}

impl Runtime for Paused {
    fn sleep(&self, time: Duration) -> Task {
        Box::pin(tokio::time::sleep(time))
    }

    fn spawn(&self, task: Task) {
        tokio::spawn(task);
    }
}

/// Counters with the troubles of a store over the network.
#[derive(Clone)]
struct Remote {
    counters: Arc<dyn Counters>,
    latency: Duration,
    broken: Arc<AtomicBool>,
    /// What it says then.
    trouble: &'static str,
    calls: Arc<AtomicU64>,
}

impl Remote {
    fn call<T: Send + 'static>(&self, call: impl FnOnce(&dyn Counters) -> Count<T> + Send + 'static) -> Count<T> {
        let this = self.clone();
        Box::pin(async move {
            this.calls.fetch_add(1, Ordering::Relaxed);
            if this.latency.is_zero() {
                // As near as it may be, others who ask at the same moment are in between.
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(this.latency).await;
            }
            if this.broken.load(Ordering::Relaxed) { Err(this.trouble.to_owned()) } else { call(&*this.counters).await }
        })
    }
}

impl Counters for Remote {
    fn add(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter> {
        let key = key.to_owned();
        self.call(move |c| c.add(&key, points, time))
    }

    fn put(&self, key: &str, points: f64, time: Option<u64>) -> Count<Counter> {
        let key = key.to_owned();
        self.call(move |c| c.put(&key, points, time))
    }

    fn get(&self, key: &str) -> Count<Option<Counter>> {
        let key = key.to_owned();
        self.call(move |c| c.get(&key))
    }

    fn delete(&self, key: &str) -> Count<bool> {
        let key = key.to_owned();
        self.call(move |c| c.delete(&key))
    }
}

/// A limiter as the data describes it.
#[derive(Clone)]
enum Subject {
    Memory(Arc<RateLimiterMemory>),
    Store(Arc<RateLimiterStore>, Remote),
    /// Options only.
    Abstract(Options),
    Other(Limiter),
    Union(RateLimiterUnion),
    Queue(RateLimiterQueue),
    Blocked(Arc<BlockedKeys>),
}

impl Subject {
    fn limiter(&self) -> Result<Limiter, String> {
        match self {
            Self::Memory(l) => Ok(Limiter::from(l.clone())),
            Self::Store(l, _) => Ok(Limiter::from(l.clone())),
            Self::Other(l) => Ok(l.clone()),
            // Here, the compiler says that.
            _ => {
                Err("RateLimiterUnion: all limiters have to be instance of RateLimiterAbstract or RateLimiterCompatibleAbstract".to_owned())
            }
        }
    }
}

struct World {
    runtime: Paused,
    /// Where Redis is, if one is asked.
    redis: Option<RedisStore>,
    named: HashMap<String, Subject>,
    dump: Mutex<Value>,
}

impl World {
    fn build(&mut self, spec: &Value) -> Result<Subject, String> {
        let runtime = self.runtime;
        let written = &spec["options"];
        let empty = json!({});
        let subject = match spec["type"].as_str().unwrap() {
            "memory" => Subject::Memory(RateLimiterMemory::new(runtime, self.options(written)?).map_err(|e| e.to_string())?),
            "store" | "redis" | "redis-nonatomic" => {
                let not_ready = spec["dead"] == true && written["rejectIfRedisNotReady"] == true;
                let remote = Remote {
                    counters: match &self.redis {
                        Some(store) => Arc::new(RedisCounters::new(store)),
                        None => Arc::new(MemoryCounters::new(Arc::new(runtime), 10_000)),
                    },
                    latency: Duration::from_millis(written["latencyMs"].as_u64().unwrap_or(0)),
                    broken: Arc::new(AtomicBool::new(written["mode"] == "error" || spec["dead"] == true)),
                    trouble: if not_ready { "Redis connection is not ready" } else { "Store error" },
                    calls: Arc::default(),
                };
                let options = self.options(written)?;
                let limiter = RateLimiterStore::new(Arc::new(runtime), Arc::new(remote.clone()), options).map_err(|e| e.to_string())?;
                Subject::Store(limiter, remote)
            }
            "abstract" => Subject::Abstract(Options::read(written).map_err(|e| e.to_string())?),
            "union" => {
                let members: Result<Vec<Limiter>, String> =
                    spec["limiters"].as_array().unwrap().iter().map(|s| self.build(s)?.limiter()).collect();
                Subject::Union(RateLimiterUnion::new(members?).map_err(|e| e.to_string())?)
            }
            "bursty" => {
                let (main, burst) = (self.build(&spec["limiter"])?.limiter()?, self.build(&spec["burst"])?.limiter()?);
                Subject::Other(Limiter::from(BurstyRateLimiter::new(main, burst)))
            }
            "queue" => {
                let inner = self.build(&spec["limiter"])?.limiter()?;
                let most = written["maxQueueSize"].as_u64().map(|n| n as usize);
                Subject::Queue(RateLimiterQueue::new(Arc::new(runtime), inner, most))
            }
            "blackwhite" => {
                let names = |key: &str| written[key].as_array().into_iter().flatten().map(|v| v.as_str().unwrap().to_owned()).collect();
                let equals = |key: &str| {
                    let name = written[key].as_str().map(str::to_owned);
                    name.map(|name| Box::new(move |key: &str| key == name) as Box<dyn Fn(&str) -> bool + Send + Sync>)
                };
                let lists = Lists {
                    white: names("whiteList"),
                    black: names("blackList"),
                    is_white: equals("isWhiteListedEquals"),
                    is_black: equals("isBlackListedEquals"),
                    run_action_anyway: written["runActionAnyway"] == true,
                };
                Subject::Other(Limiter::from(BlackAndWhite::new(Arc::new(runtime), self.build(&spec["limiter"])?.limiter()?, lists)))
            }
            "timeouts" => {
                let defaults = TimeoutOptions::default();
                let insurance = &written["insuranceLimiter"];
                let options = TimeoutOptions {
                    timeout_ms: written["timeoutMs"].as_f64().unwrap_or(0.0),
                    key_prefix: written["keyPrefix"].as_str().map_or(defaults.key_prefix, str::to_owned),
                    insurance_limiter: if insurance.is_null() { None } else { Some(self.build(insurance)?.limiter()?) },
                    block_duration: written["blockDuration"].as_f64().unwrap_or(0.0),
                    exec_evenly: written["execEvenly"] == true,
                };
                let limiter = self.build(&spec["limiter"])?.limiter()?;
                Subject::Other(Limiter::from(Timeouts::new(Arc::new(runtime), limiter, options)))
            }
            "blockedkeys" => Subject::Blocked(Arc::new(BlockedKeys::new(Arc::new(runtime)))),
            other => panic!("a limiter of type {other} is not known to this suite: {empty}"),
        };
        if let Some(name) = spec["name"].as_str() {
            self.named.insert(name.to_owned(), subject.clone());
        }
        Ok(subject)
    }

    fn options(&mut self, written: &Value) -> Result<Options, String> {
        let mut options = Options::read(written).map_err(|e| e.to_string())?;
        if !written["insuranceLimiter"].is_null() {
            options.insurance_limiter = Some(self.build(&written["insuranceLimiter"])?.limiter()?);
        }
        Ok(options)
    }
}

fn number(n: f64) -> Value {
    if n.fract() == 0.0 && n.abs() < 1e16 { json!(n as i64) } else { json!(n) }
}

fn res(res: Res) -> Value {
    json!({
        "remainingPoints": number(res.remaining_points), "msBeforeNext": number(res.ms_before_next),
        "consumedPoints": number(res.consumed_points), "isFirstInDuration": res.is_first_in_duration,
    })
}

fn error(message: &str, name: &str) -> Value {
    json!({ "outcome": "error", "value": { "error": message, "name": name } })
}

fn resolved(value: impl Into<Value>) -> Value {
    json!({ "outcome": "resolve", "value": value.into() })
}

fn rejected(rejected: Rejected) -> Value {
    match rejected {
        Rejected::Limit(r) => json!({ "outcome": "reject", "value": res(r) }),
        Rejected::Trouble(why) => error(&why, "Error"),
    }
}

fn answered(answer: Result<Reply, Rejected>) -> Value {
    match answer {
        Ok(Reply::Res(r)) => resolved(res(r)),
        Ok(Reply::Found(found)) => resolved(found.map_or(Value::Null, res)),
        Ok(Reply::Deleted(was_there)) => resolved(json!(was_there)),
        Err(r) => rejected(r),
    }
}

/// A key as JavaScript makes a text of it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn seconds(value: &Value) -> Option<f64> {
    value.as_f64()
}

/// The call that an op of the data is; `None` if it is not one of a limiter.
fn limiter_op(op: &Value) -> Option<Op> {
    let points = if op["points"].is_null() { 1.0 } else { op["points"].as_f64().or_else(|| text(&op["points"]).parse().ok()).unwrap() };
    let custom_duration = op["opts"]["customDuration"].as_f64();
    Some(match op["op"].as_str().unwrap() {
        "consume" => Op::Consume { points, custom_duration },
        "penalty" => Op::Penalty { points, custom_duration },
        "reward" => Op::Reward { points, custom_duration },
        "get" => Op::Get,
        "set" => Op::Set { points, seconds: seconds(&op["secDuration"]) },
        "block" => Op::Block { seconds: seconds(&op["secDuration"]).unwrap() },
        "delete" => Op::Delete,
        _ => return None,
    })
}

async fn run(world: Arc<World>, subject: Subject, op: Value) -> Value {
    let subject = op["on"].as_str().map_or(subject, |name| world.named[name].clone());
    let key = text(&op["key"]);
    if let Some(call) = limiter_op(&op) {
        return match &subject {
            Subject::Union(union) => {
                let Op::Consume { points, .. } = call else { panic!("a union only consumes") };
                let all = |map: Vec<(String, Value)>| Value::Object(map.into_iter().collect());
                match union.consume(&key, points).await {
                    Ok(passed) => resolved(all(passed.into_iter().map(|(k, r)| (k, res(r))).collect())),
                    Err(refused) => {
                        let value = all(refused.into_iter().map(|(k, r)| (k, rejected(r)["value"].clone())).collect());
                        json!({ "outcome": "reject", "value": value })
                    }
                }
            }
            other => answered(other.limiter().unwrap().run(&key, call).await),
        };
    }
    match (&subject, op["op"].as_str().unwrap()) {
        (Subject::Queue(queue), name) => {
            // There, a key that is not given is this.
            let key = if op["key"].is_null() { "limiter".to_owned() } else { key };
            if name == "getTokensRemaining" {
                return resolved(number(queue.tokens_remaining(&key).await));
            }
            match queue.remove_tokens(op["tokens"].as_f64().unwrap(), &key, op["deadlineUnix"].as_f64()).await {
                Ok(left) => resolved(number(left)),
                Err(e @ QueueError::Trouble(_)) => error(&e.to_string(), "Error"),
                Err(e) => error(&e.to_string(), "CustomError"),
            }
        }
        (Subject::Blocked(blocked), name) => {
            let ms = |seconds: &Value| seconds.as_f64().unwrap() * 1000.0;
            resolved(match name {
                "bkAdd" => {
                    blocked.add_ms(&key, ms(&op["sec"]));
                    Value::Null
                }
                "bkAddMany" => {
                    for n in 0..op["count"].as_u64().unwrap() {
                        blocked.add_ms(&format!("{}{n}", op["prefix"].as_str().unwrap()), ms(&op["sec"]));
                    }
                    Value::Null
                }
                "bkMs" => json!(blocked.ms_before_expire(&key)),
                "bkSize" => json!(blocked.len()),
                "bkCollect" => {
                    blocked.collect_expired();
                    Value::Null
                }
                "bkDelete" => {
                    blocked.delete(&key);
                    Value::Null
                }
                other => panic!("op {other}"),
            })
        }
        (Subject::Store(limiter, remote), name @ ("memBlockMs" | "deleteInMemoryBlockedAll" | "storeCalls" | "storeMode")) => {
            resolved(match name {
                "memBlockMs" => json!(limiter.in_memory_block_ms(&key)),
                "storeCalls" => json!(remote.calls.load(Ordering::Relaxed)),
                "storeMode" => {
                    remote.broken.store(op["mode"] == "error", Ordering::Relaxed);
                    Value::Null
                }
                _ => {
                    limiter.delete_in_memory_blocked_all();
                    Value::Null
                }
            })
        }
        (Subject::Memory(limiter), "dump") => {
            let dump = limiter.dump();
            *world.dump.lock().unwrap() = dump.clone();
            let now = world.runtime.wall().as_millis() as i64;
            let storage: Vec<Value> = dump["storage"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| json!({ "key": e["key"], "value": number(e["value"].as_f64().unwrap()), "expiresAt": e["expiresAt"].as_i64().map(|at| json!({ "inMs": at - now })) }))
                .collect();
            resolved(json!({ "version": dump["version"], "storage": storage }))
        }
        (Subject::Memory(limiter), "restore") => {
            let mut data = if op["fromDump"] == true { world.dump.lock().unwrap().clone() } else { op["data"].clone() };
            let now = world.runtime.wall().as_millis() as i64;
            for entry in data.get_mut("storage").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(ms) = entry.get("expiresAt").and_then(|at| at["inMs"].as_i64()) {
                    entry["expiresAt"] = json!(now + ms);
                }
            }
            let Some(restored) = limiter.restore(&data) else { return resolved(Value::Null) };
            let told = |keys: &[Option<String>]| {
                if op["detail"] == true {
                    let keys: Vec<Value> = keys.iter().map(|k| json!(k.as_deref().unwrap_or("N/A"))).collect();
                    json!({ "count": keys.len(), "keys": keys })
                } else {
                    json!(keys.len())
                }
            };
            resolved(
                json!({ "invalid": told(&restored.invalid), "expired": told(&restored.expired), "restored": told(&restored.restored) }),
            )
        }
        (subject, "setOption") => {
            let change = |options: &mut Options| set_option(options, op["name"].as_str().unwrap(), &op["value"]);
            match subject {
                Subject::Memory(limiter) => limiter.change_options(change),
                Subject::Store(limiter, _) => limiter.change_options(change),
                _ => panic!("no options to change"),
            }
            resolved(Value::Null)
        }
        (subject, name) => {
            let options = match subject {
                Subject::Memory(limiter) => limiter.options(),
                Subject::Store(limiter, _) => limiter.options(),
                Subject::Abstract(options) => options.clone(),
                other => return resolved(number(other.limiter().unwrap().points())),
            };
            resolved(match name {
                "getKey" => json!(options.key(&key)),
                "parseKey" => json!(options.parse_key(&key)),
                "getOption" => get_option(&options, op["name"].as_str().unwrap()),
                other => panic!("op {other}"),
            })
        }
    }
}

fn set_option(options: &mut Options, name: &str, value: &Value) {
    let n = value.as_f64().unwrap_or(0.0);
    match name {
        "points" => options.points = n,
        "duration" => options.duration = n,
        "blockDuration" => options.block_duration = n,
        "execEvenly" => options.exec_evenly = value == true,
        "execEvenlyMinDelayMs" => options.exec_evenly_min_delay_ms = Some(n),
        "keyPrefix" => options.key_prefix = text(value),
        "inMemoryBlockOnConsumed" => options.in_memory_block_on_consumed = n,
        "inMemoryBlockDuration" => options.in_memory_block_duration = n,
        "blockOnConsumed" => options.block_on_consumed = n,
        other => panic!("option {other}"),
    }
}

fn get_option(options: &Options, name: &str) -> Value {
    match name {
        "points" => number(options.points),
        "duration" => number(options.duration),
        "msDuration" => number(options.duration * 1000.0),
        "blockDuration" => number(options.block_duration),
        "msBlockDuration" => number(options.block_duration * 1000.0),
        "execEvenly" => json!(options.exec_evenly),
        "execEvenlyMinDelayMs" => number(options.exec_evenly_min_delay()),
        "keyPrefix" => json!(options.key_prefix),
        "inMemoryBlockOnConsumed" => number(options.in_memory_block_on_consumed),
        "inMemoryBlockDuration" => number(options.in_memory_block_duration),
        "blockOnConsumed" => number(options.block_on_consumed),
        other => panic!("option {other}"),
    }
}

type Running = Pin<Box<dyn Future<Output = Value>>>;

/// Runs calls that start together, each with the time that it took.
async fn together(mut calls: Vec<Running>) -> Vec<Value> {
    let start = tokio::time::Instant::now();
    let mut answers: Vec<Option<Value>> = calls.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (call, answer) in calls.iter_mut().zip(&mut answers).filter(|(_, a)| a.is_none()) {
            if let Poll::Ready(mut value) = call.as_mut().poll(cx) {
                let took = start.elapsed().as_millis() as u64;
                if took > 0 {
                    value["settledAfterMs"] = json!(took);
                }
                *answer = Some(value);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

async fn answers(case: &Value, redis: Option<RedisStore>) -> Value {
    let mut world = World { runtime: Paused(tokio::time::Instant::now()), redis, named: HashMap::new(), dump: Mutex::default() };
    let subject = match world.build(&case["limiter"]) {
        Ok(subject) => subject,
        Err(e) => return json!({ "constructorThrows": e }),
    };
    let world = Arc::new(world);
    let mut all = Vec::new();
    for op in case["ops"].as_array().into_iter().flatten() {
        let start = |op: &Value| Box::pin(run(world.clone(), subject.clone(), op.clone())) as Running;
        all.push(match op["op"].as_str().unwrap() {
            "wait" => {
                tokio::time::sleep(Duration::from_millis(op["ms"].as_u64().unwrap())).await;
                Value::Null
            }
            "parallel" => json!({ "parallel": together(op["ops"].as_array().unwrap().iter().map(start).collect()).await }),
            _ => together(vec![start(op)]).await.remove(0),
        });
    }
    json!(all)
}

/// Ours with what theirs says only nearly put in its place, where it is near.
fn nearly(ours: &Value, theirs: &Value) -> Value {
    if let (Some(near), Some(tolerance)) = (theirs["near"].as_f64(), theirs["tolMs"].as_f64()) {
        let ours_ms = ours.as_f64().unwrap_or(0.0);
        return if (ours_ms - near).abs() <= tolerance { theirs.clone() } else { ours.clone() };
    }
    match (ours, theirs) {
        // Any error will do.
        (Value::Object(a), Value::Object(b)) if a.contains_key("error") && b.get("error").is_some_and(|e| e == "*") => theirs.clone(),
        (Value::Object(a), Value::Object(b)) => {
            Value::Object(a.iter().map(|(k, v)| (k.clone(), b.get(k).map_or_else(|| v.clone(), |t| nearly(v, t)))).collect())
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a.iter().zip(b).map(|(a, b)| nearly(a, b)).collect(),
        // A clock that ran while the recording was made.
        (Value::Number(a), Value::Number(b)) if a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a > b && a - b < 10.0 && b > 900.0) => {
            theirs.clone()
        }
        _ => ours.clone(),
    }
}

/// The same where time went by: calls that took a moment, and counts of milliseconds that are some less.
fn nearly_in_time(ours: &Value, theirs: &Value) -> Value {
    let late = |value: &Value| value["settledAfterMs"].as_u64().is_some_and(|ms| ms < 400);
    match (nearly(ours, theirs), theirs) {
        (Value::Object(mut a), Value::Object(b)) => {
            if late(ours) && !b.contains_key("settledAfterMs") {
                a.remove("settledAfterMs");
            }
            Value::Object(a.into_iter().map(|(k, v)| (k.clone(), b.get(&k).map_or_else(|| v.clone(), |t| nearly_in_time(&v, t)))).collect())
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a.iter().zip(b).map(|(a, b)| nearly_in_time(a, b)).collect(),
        (Value::Number(a), Value::Number(b)) if a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| (a - b).abs() < 400.0 && b > 900.0) => {
            theirs.clone()
        }
        (nearly, _) => nearly,
    }
}

/// Runs all sequences that were recorded on Redis at once, each with keys of its own, on the Redis at `url`.
fn sequences_in_time(name: &'static str, url: &str) {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let cases: Vec<Value> = file["limiter"].as_array().unwrap().iter().filter(|case| of_redis(case)).cloned().collect();
    let mut group = Group::new(name, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all = tokio::task::LocalSet::new();
    let local = Arc::new(MemoryStore::with_capacity(1024));
    let running: Vec<_> = cases
        .into_iter()
        .filter(|case| !LEFT_OUT.iter().any(|(_, applies)| applies(case)))
        .enumerate()
        .map(|(n, case)| {
            let secret = format!("{n:032x}{}", std::process::id());
            let options = RedisOptions::new(url, secret).unwrap().timeout(Duration::from_secs(2));
            let redis = RedisStore::beside(options, local.clone());
            all.spawn_local(async move { (answers(&case, Some(redis)).await, case) })
        })
        .collect();
    for case in running {
        let (ours, case) = all.block_on(&runtime, case).unwrap();
        let theirs = expected(&case);
        let execs_evenly = case["id"] == "redis/execEvenly";
        let evenly = execs_evenly.then_some("by whether a millisecond goes by between two calls, the second is delayed once or twice");
        let excuse = evenly.or_else(|| RULES.iter().find(|(_, applies, _)| applies(&case)).map(|(_, _, reason)| *reason));
        group.case_unless(excuse, case["id"].as_str().unwrap(), &nearly_in_time(&ours, &theirs), &theirs);
    }
}

#[test]
fn sequences_on_redis() {
    let Some(server) = RedisServer::start(&[]) else { return };
    sequences_in_time("rate-limiter-flexible, recorded on Redis, on Redis", &server.url());
}

#[test]
fn sequences_on_the_fallback() {
    let nobody = format!("redis://127.0.0.1:{}", free_port());
    sequences_in_time("rate-limiter-flexible, recorded on Redis, on the fallback", &nobody);
}

fn paused<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

fn expected(case: &Value) -> Value {
    match &case["constructorThrows"] {
        Value::Null => case["ops"].as_array().unwrap().iter().map(|op| op["expect"].clone()).collect(),
        why => json!({ "constructorThrows": why }),
    }
}

#[test]
fn sequences() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let (mut in_memory, mut redis) = (None, None);
    let mut left_out: HashMap<&str, Vec<&str>> = HashMap::new();
    for case in file["limiter"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if let Some((why, _)) = LEFT_OUT.iter().find(|(_, applies)| applies(case)) {
            left_out.entry(why).or_default().push(id);
            continue;
        }
        let theirs = expected(case);
        let mut ours = paused(answers(case, None));
        let on_redis = of_redis(case);
        if on_redis {
            ours = nearly(&ours, &theirs);
        }
        let excuse = RULES.iter().find(|(_, applies, _)| applies(case)).map(|(_, _, reason)| *reason);
        let group = if on_redis {
            redis.get_or_insert_with(|| Group::new("rate-limiter-flexible, recorded on Redis, on counters in memory", DIFFERENT_FROM_REDIS))
        } else {
            in_memory.get_or_insert_with(|| Group::new("rate-limiter-flexible", DIFFERENT))
        };
        group.case_unless(excuse, id, &ours, &theirs);
    }
    for (why, ids) in left_out {
        say!("left out: {} that ask for {why}: {}", ids.len(), ids.join(", "));
    }
}

#[test]
fn express_brute() {
    let Some(file) = vectors("limits-vectors.json") else { return };
    let mut group = Group::new("ExpressBruteFlexible", &[]);
    for case in file["expressBrute"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let written = &case["options"];
        let defaults = BruteOptions::default();
        let options = BruteOptions {
            free_retries: written["freeRetries"].as_u64().map_or(defaults.free_retries, |n| n as u32),
            min_wait: written["minWait"].as_f64().unwrap_or(defaults.min_wait),
            max_wait: written["maxWait"].as_f64().unwrap_or(defaults.max_wait),
            lifetime: written["lifetime"].as_f64(),
        };
        let delays: Vec<f64> = case["delaysMs"].as_array().unwrap().iter().map(|d| d.as_f64().unwrap()).collect();
        group.case(&format!("{id} waits"), &(options.delays(), options.lifetime()), &(delays, case["lifetimeSec"].as_f64().unwrap()));
        let ours = paused(async {
            let runtime: Arc<dyn Runtime> = Arc::new(Paused(tokio::time::Instant::now()));
            let brute = Brute::new(&runtime, options).unwrap();
            let mut all = Vec::new();
            for op in case["ops"].as_array().unwrap() {
                let ip = op["ip"].as_str().unwrap_or("");
                all.push(if let Some(ms) = op["wait"].as_u64() {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    Value::Null
                } else if op["reset"] == true {
                    brute.reset(&[ip]).await.unwrap();
                    json!({ "outcome": "reset" })
                } else {
                    match brute.prevent(&[ip]).await.unwrap() {
                        Prevented::Pass => json!({ "outcome": "pass" }),
                        Prevented::Wait(ms) => json!({ "outcome": "block", "retryInMs": number(ms) }),
                    }
                });
            }
            json!(all)
        });
        group.case(id, &ours, &case["expect"]);
    }
}
