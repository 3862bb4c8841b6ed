use http::{HeaderMap, HeaderName, StatusCode};

use super::*;

/// Reads an answer to `POST /login` as the layer does: body in two chunks, to its end.
fn read(signs: &Signs, status: u16, fields: &[(&str, &str)], body: &str) -> Outcome {
    read_with(signs, status, fields, body, true)
}

fn read_with(signs: &Signs, status: u16, fields: &[(&str, &str)], body: &str, ends: bool) -> Outcome {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers: &headers, path: "/Login?x=1" };
    let look = signs.look(answer).map(|mut look| {
        let (a, b) = body.as_bytes().split_at(body.len() / 2);
        let _ = look.feed(a) && look.feed(b);
        if ends {
            look.end();
        }
        look
    });
    signs.read(answer, look.as_ref())
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json; charset=utf-8")];
const HTML: [(&str, &str); 1] = [("content-type", "text/html")];

#[test]
fn without_signs() {
    let signs = Signs::new();
    for status in [400, 401, 403, 404, 405, 406, 408, 413, 415, 422, 429, 500, 501, 200, 304, 300, 302, 101] {
        assert_eq!(read(&signs, status, &HTML, ""), Outcome::Failure, "{status}");
    }
    for status in [502, 503, 504] {
        assert_eq!(read(&signs, status, &HTML, ""), Outcome::Neutral, "{status}");
    }
    assert_eq!(read(&signs, 204, &[], ""), Outcome::Success);
    for (target, success) in [
        ("/account", true),
        ("/", true),
        ("https://shop.example/", true),
        ("/login", false),
        ("login/", false),
        ("?", false),
        ("", false),
        ("//inner:3000/LOGIN?next=/", false),
        ("/users/sign_in", false),
        ("/wp-login.php?x", false),
        ("/?error=1", false),
        ("/account?Login_Failed", false),
        ("/#auth_error", false),
    ] {
        let expected = if success { Outcome::Success } else { Outcome::Failure };
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(read(&signs, status, &[("location", target)], ""), expected, "{target}");
        }
    }
    assert_eq!(read(&signs, 302, &[("location", "/a"), ("location", "/b")], ""), Outcome::Failure, "two targets");
}

#[test]
fn json_that_says_so_is_a_failure() {
    let signs = Signs::new();
    for good in [
        "{}",
        r#"{"token":"x","error":null}"#,
        r#"{"success":true,"errors":[]}"#,
        r#"{"data":{"error":1}}"#,
        r#"{"status":"ok","code":200}"#,
    ] {
        assert_eq!(read(&signs, 200, &JSON, good), Outcome::Success, "{good}");
        assert_eq!(read_with(&signs, 200, &JSON, good, false), Outcome::Failure, "broke off");
        assert_eq!(read(&signs, 200, &[JSON[0], ("content-encoding", "gzip")], good), Outcome::Failure, "compressed");
    }
    for bad in [
        r#"{"error":"x"}"#,
        r#"{"data":null,"errors":[{"message":"x"}]}"#,
        r#"{"success":false}"#,
        r#"{"Ok": false}"#,
        r#"{"status":"fail"}"#,
        r#"{"status":401}"#,
        r#"{"loggedin":false,"message":"x"}"#,
        "",
        "[]",
        "true",
        "\"wrong\"",
        "{",
        r#"{"result":"invalid_credentials"}"#,
    ] {
        assert_eq!(read(&signs, 200, &JSON, bad), Outcome::Failure, "{bad}");
    }
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(read(&signs, 200, &JSON, &long), Outcome::Failure);
    assert!(signs.needs_body());
}

#[test]
fn failure_signs_decide_first_and_the_rest_is_no_success() {
    let signs = Signs::new()
        .failure(Sign::new().status("401").unwrap().status("422").unwrap())
        .success(Sign::new().status("302").unwrap().location_not("/login").unwrap().set_cookie("sid"))
        .success(Sign::new().status("4xx").unwrap());
    let session = ("set-cookie", "sid=8; Path=/");
    assert_eq!(read(&signs, 302, &[("location", "/"), session], ""), Outcome::Success);
    assert_eq!(read(&signs, 302, &[("location", "/login"), session], ""), Outcome::Failure);
    assert_eq!(read(&signs, 302, &[("location", "http://10.0.0.1/Login/?a"), session], ""), Outcome::Failure);
    assert_eq!(read(&signs, 302, &[session], ""), Outcome::Failure, "no target");
    assert_eq!(read(&signs, 302, &[("location", "/")], ""), Outcome::Failure, "no session");
    assert_eq!(read(&signs, 204, &[], ""), Outcome::Failure, "none of the successes");
    assert_eq!(read(&signs, 503, &[], ""), Outcome::Neutral);
    assert_eq!(read(&signs, 422, &[], ""), Outcome::Failure, "both signs");
    assert_eq!(read(&signs, 409, &[], ""), Outcome::Success);
    let only_failure = Signs::new().failure(Sign::new().status("302").unwrap().location("/").unwrap());
    assert_eq!(read(&only_failure, 302, &[("location", "/")], ""), Outcome::Failure);
    assert_eq!(read(&only_failure, 302, &[("location", "/a")], ""), Outcome::Success);
    assert_eq!(read(&Signs::new().success(Sign::new()), 418, &[], ""), Outcome::Failure, "a sign of nothing");
}

#[test]
fn cookies_that_are_taken_away_are_no_session() {
    let signs = Signs::new().success(Sign::new().set_cookie("sid")).success(Sign::new().set_cookie("wp_in_*"));
    for (line, success) in [
        ("sid=1", true),
        ("sid=1; Expires=Wed, 09 Jun 2038 10:18:14 GMT; Max-Age=60", true),
        ("wp_in_8f=x", true),
        ("SID=1", false),
        ("sid=", false),
        ("sid=\"\"", false),
        ("sid=deleted", false),
        ("sid=1; max-age=0", false),
        ("sid=1; Max-Age=-1", false),
        ("sid=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", false),
        ("sid=x; expires=Thu, 01-Jan-1970 00:00:01 GMT", false),
        ("sidx=1", false),
        ("x=1; sid=1", false),
    ] {
        let expected = if success { Outcome::Success } else { Outcome::Failure };
        assert_eq!(read(&signs, 200, &[("set-cookie", line)], ""), expected, "{line}");
    }
}

#[test]
fn markers_that_nobody_saw_are_a_failure() {
    let signs = Signs::new()
        .failure(Sign::new().status("200").unwrap().body_contains(b"Wrong password"))
        .success(Sign::new().status("200").unwrap().body_lacks(b"<form").body_contains(b"Welcome"));
    assert!(signs.needs_body());
    assert_eq!(read(&signs, 200, &HTML, "<p>Welcome"), Outcome::Success);
    assert_eq!(read(&signs, 200, &HTML, "<p>Wrong password, Welcome"), Outcome::Failure);
    assert_eq!(read(&signs, 200, &HTML, "<p>Welcome<form>"), Outcome::Failure);
    assert_eq!(read(&signs, 200, &HTML, "<p>Hello"), Outcome::Failure);
    assert_eq!(read_with(&signs, 200, &HTML, "<p>Welcome", false), Outcome::Failure, "broke off");
    assert_eq!(read(&signs, 200, &[HTML[0], ("content-encoding", "br")], "<p>Welcome"), Outcome::Failure);
    assert_eq!(read(&signs, 200, &HTML, &format!("Welcome{}", " ".repeat(70_000))), Outcome::Failure);
    assert_eq!(read(&signs, 503, &HTML, "<p>Welcome"), Outcome::Neutral);
    let lacks = Signs::new().success(Sign::new().status("200").unwrap().body_lacks(b"<form"));
    assert_eq!(read(&lacks, 200, &HTML, "<p>Hello"), Outcome::Success);
    assert_eq!(read_with(&lacks, 200, &HTML, "<p>Hello", false), Outcome::Failure, "broke off");
    assert_eq!(read(&lacks, 200, &HTML, &" ".repeat(70_000)), Outcome::Failure);
    let headers = HeaderMap::new();
    let answer = Answer { status: StatusCode::OK, headers: &headers, path: "/login" };
    assert_eq!(signs.read(answer, None), Outcome::Failure, "never looked");
    assert!(signs.look(Answer { status: StatusCode::FOUND, ..answer }).is_none());
}

#[test]
fn statuses_are_read_or_told() {
    for fine in ["302", "2xx", "400-422", "400 - 422"] {
        assert!(Sign::new().status(fine).is_ok(), "{fine}");
    }
    for wrong in ["", "20", "6xx", "xx", "999", "422-400", "2XX", "+302", "200,302"] {
        assert!(Sign::new().status(wrong).unwrap_err().contains("no status"), "{wrong}");
    }
}

proptest::proptest! {
    #[test]
    fn no_answer_panics(status in 100u16..600, location: Vec<u8>, cookie: Vec<u8>, body: Vec<u8>, path: String) {
        let signs = Signs::new().failure(Sign::new().location("/login").unwrap().body_contains(b"x")).success(Sign::new().set_cookie("a").body_lacks(b"y"));
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        for (name, value) in [("location", location), ("set-cookie", cookie)] {
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        let answer = Answer { status: StatusCode::from_u16(status).unwrap(), headers: &headers, path: &path };
        for signs in [signs, Signs::new()] {
            let mut look = signs.look(answer);
            if let Some(look) = &mut look {
                look.feed(&body);
                look.end();
            }
            let _ = signs.read(answer, look.as_ref());
        }
    }
}
