//! Every way to be slow ends, and only the slow are ended. The clock is tokio's, paused: no test waits for real.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use casque::serve::{Body, Caps, Settings, connection, stopper};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep, timeout};
use tower::service_fn;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A server that reads bodies and answers with their length, on one end of a pipe.
fn serve(change: impl FnOnce(&mut Settings)) -> DuplexStream {
    serve_app(change, |req: Request<Body>| async move {
        let length = req.into_body().collect().await.map(|b| b.to_bytes().len());
        let text = length.map_or_else(|_| "broken".to_owned(), |n| n.to_string());
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
    })
}

fn serve_app<F, Fut>(change: impl FnOnce(&mut Settings), app: F) -> DuplexStream
where
    F: Fn(Request<Body>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send + 'static,
{
    let mut settings = Settings::default();
    change(&mut settings);
    let (client, server) = duplex(64 * 1024);
    let permit = Caps::new(10, 10).take(None).unwrap();
    let (stop, drain) = stopper();
    let peer = "192.0.2.1".parse().unwrap();
    tokio::spawn(async move {
        let _stop = stop;
        connection(server, peer, service_fn(app), Arc::new(settings), permit, drain).await;
    });
    client
}

/// Sends `drip` every second until the server hangs up; tells when that was and what it said.
async fn drip(mut client: DuplexStream, first: &[u8], drip: &'static [u8]) -> (Duration, String) {
    let start = Instant::now();
    client.write_all(first).await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(client);
    let dripping = async {
        loop {
            sleep(Duration::from_secs(1)).await;
            if drip.is_empty() || writing.write_all(drip).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut answer = Vec::new();
    let ended = async {
        reading.read_to_end(&mut answer).await.unwrap();
    };
    tokio::select! {
        () = dripping => {}
        ended = timeout(Duration::from_secs(600), ended) => ended.expect("the server never hung up"),
    }
    (start.elapsed(), String::from_utf8(answer).unwrap())
}

fn within(took: Duration, from: u64, to: u64) {
    assert!((from..=to).contains(&took.as_secs()), "took {took:?}, expected {from} to {to} s");
}

#[tokio::test(start_paused = true)]
async fn silence_ends_after_the_idle_timeout() {
    let (took, answer) = drip(serve(|_| {}), b"", b"").await;
    within(took, 50, 51);
    assert_eq!(answer, "");
}

#[tokio::test(start_paused = true)]
async fn a_partial_head_ends_after_the_header_timeout() {
    let (took, answer) = drip(serve(|_| {}), b"GET / HTTP/1.1\r\nHost: a\r\n", b"").await;
    within(took, 10, 12);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_dripping_head_is_timed_from_its_first_byte() {
    let (took, answer) = drip(serve(|_| {}), b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"a").await;
    within(took, 10, 12);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_body_ends_after_the_body_idle_timeout() {
    let (took, _) = drip(serve(|_| {}), b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\na", b"").await;
    within(took, 15, 17);
}

#[tokio::test(start_paused = true)]
async fn a_dripping_body_ends_for_being_slow() {
    let (took, _) = drip(serve(|_| {}), b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", b"a").await;
    within(took, 15, 17);
    let (took, _) = drip(serve(|_| {}), b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n").await;
    within(took, 15, 17);
}

#[tokio::test(start_paused = true)]
async fn a_body_at_the_asked_rate_is_taken_to_its_end() {
    let mut client = serve(|_| {});
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n").await.unwrap();
    for _ in 0..100 {
        sleep(Duration::from_secs(1)).await;
        client.write_all(&[b'a'; 600]).await.unwrap();
    }
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("60000"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn an_app_that_takes_its_time_makes_no_client_slow() {
    // Reads nothing of the body for a minute, then all of it, then thinks for another minute.
    let mut client = serve_app(
        |_| {},
        |req: Request<Body>| async move {
            sleep(Duration::from_secs(60)).await;
            let length = req.into_body().collect().await.map(|b| b.to_bytes().len()).unwrap_or(0);
            sleep(Duration::from_secs(60)).await;
            Ok(Response::new(Full::new(Bytes::from(length.to_string()))))
        },
    );
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n").await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(client);
    let body = vec![b'a'; 200_000];
    let (sent, answer) = tokio::join!(writing.write_all(&body), async {
        let mut answer = String::new();
        reading.read_to_string(&mut answer).await.map(|_| answer)
    });
    sent.unwrap();
    assert!(answer.unwrap().ends_with("200000"));
}

#[tokio::test(start_paused = true)]
async fn an_idle_keep_alive_connection_ends_and_a_used_one_does_not() {
    let mut client = serve(|_| {});
    let mut buf = [0; 4096];
    for _ in 0..5 {
        client.write_all(GET).await.unwrap();
        let n = client.read(&mut buf).await.unwrap();
        assert!(buf[..n].starts_with(b"HTTP/1.1 200"));
        sleep(Duration::from_secs(40)).await;
    }
    let start = Instant::now();
    assert_eq!(client.read(&mut buf).await.unwrap(), 0);
    within(start.elapsed(), 9, 11);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_cut() {
    let (client, dropped) = {
        let (tell, dropped) = tokio::sync::oneshot::channel::<()>();
        let tell = Arc::new(tell);
        let client = serve_app(
            |_| {},
            move |_| {
                let tell = tell.clone();
                async move {
                    // The response keeps this alive until it is sent or given up.
                    let mut response = Response::new(Full::new(Bytes::from(vec![b'x'; 10_000_000])));
                    response.extensions_mut().insert(tell);
                    Ok(response)
                }
            },
        );
        (client, dropped)
    };
    let mut client = client;
    client.write_all(GET).await.unwrap();
    let start = Instant::now();
    // The service, and with it the sender, lives as long as the connection does.
    let _ = timeout(Duration::from_secs(300), dropped).await.expect("the connection was held for ever");
    within(start.elapsed(), 30, 32);
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_client_gets_its_answer_and_one_that_left_is_given_up() {
    let slow = |seconds| {
        move |_: Request<Body>| async move {
            sleep(Duration::from_secs(seconds)).await;
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"late"))))
        }
    };
    let mut answer = String::new();
    let mut client = serve_app(|_| {}, slow(4));
    client.write_all(GET).await.unwrap();
    client.shutdown().await.unwrap();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("late"), "{answer}");

    let mut client = serve_app(|_| {}, slow(3600));
    client.write_all(GET).await.unwrap();
    client.shutdown().await.unwrap();
    let start = Instant::now();
    answer.clear();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "");
    within(start.elapsed(), 5, 6);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_answered_in_their_turn() {
    let mut client = serve(|_| {});
    client.write_all(&[GET, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", GET].concat()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    let statuses: Vec<&str> = answer.matches("HTTP/1.1 ").zip(answer.split("HTTP/1.1 ").skip(1)).map(|(_, rest)| &rest[..3]).collect();
    assert_eq!(statuses, ["200", "400"]);
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_is_told_to_the_app_and_nothing_after_it_is_read() {
    let mut client = serve(|_| {});
    client.write_all(&[b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n", GET].concat()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(answer.ends_with("broken"), "{answer}");
}
