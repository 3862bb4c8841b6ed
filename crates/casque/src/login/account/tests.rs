use http::{HeaderMap, HeaderName};
use proptest::prelude::*;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

fn email() -> AccountFields {
    AccountFields::none().form("email").unwrap().form("user[email]").unwrap()
}

fn find_with(fields: &AccountFields, lines: &[(&str, &str)], query: Option<&str>, body: &[u8]) -> Found {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    find(fields, Head { headers: &headers, query }, body, true)
}

/// What is found, as a line of names, or a word.
fn shown(found: &Found) -> String {
    match found {
        Found::Names(names) => names.iter().map(Name::as_str).collect::<Vec<_>>().join(" "),
        Found::Nothing => "-".to_owned(),
        Found::TooMany(many) => format!("{many}!"),
        Found::Refuse(refusal) => refusal.word().to_owned(),
    }
}

fn sent(kind: &str, body: &str) -> String {
    shown(&find_with(&email(), &[("content-type", kind)], None, body.as_bytes()))
}

#[test]
fn spellings_of_a_form_field() {
    for body in [
        "email=ada",
        "x=1&email=ada&y=2",
        "%65mail=ada",
        "e%6Dail=%61da",
        "+email=ada",
        "Email=ada",
        "email[]=ada",
        "email%5B%5D=ada",
        "email[0]=ada",
        "[email]=ada",
        "user[email]=ada",
        "user[email][]=ada",
        "user.email=ada",
        "user%5bemail%5d=ada",
        "user[][email]=ada",
        "user[0][email]=ada",
        "user [email]=ada",
        "user_email=ada",
        "user[email=ada",
        "?email=ada",
        "\u{feff}email=ada",
        "x;email=ada",
        "x&amp;email=ada",
        "email=ada&email=ADA",
        "email=ada&user.email=+ada+",
        "{email=1&email=ada",
    ] {
        let expected = if body.starts_with('{') { "json" } else { "ada" };
        assert_eq!(sent(FORM, body), expected, "{body}");
        if body.is_ascii() && expected == "ada" {
            assert_eq!(shown(&find_with(&email(), &[], Some(body), b"")), "ada", "?{body}");
        }
    }
    assert_eq!(sent(FORM, "email=&x=ada"), "-");
    assert_eq!(sent(FORM, "emails=ada&xemail=ada&x[email]=ada"), "-");
}

#[test]
fn forms_that_servers_read_differently_are_refused() {
    for (body, word) in [
        ("email[$eq]=ada", "no-name"),
        ("email[%24eq]=ada", "no-name"),
        ("email[contains]=ada", "no-name"),
        ("user[email][$in][]=ada", "no-name"),
        ("user[email]x=ada", "form"),
        ("user[email]x[y]=ada", "form"),
        ("__proto__[email]=ada", "no-name"),
        ("email%00x=ada", "no-name"),
        ("em%u0061il=ada", "form"),
        ("email=%u0061da", "form"),
        ("email=a%64a%", "form"),
        ("email=ada%00", "odd-name"),
        ("email=ad%ffa", "odd-name"),
        ("email=ada%3Cb%3E", "odd-name"),
        ("variables={\"email\":1}", "no-name"),
    ] {
        assert_eq!(sent(FORM, body), word, "{body}");
    }
    assert_eq!(sent(FORM, &format!("{}=1", "a.".repeat(40))), "depth");
}

#[test]
fn spellings_of_a_json_field() {
    for body in [
        r#"{"email":"ada"}"#,
        "\u{feff} {\"email\" : \"\\u0061da\"}\r\n",
        r#"{"\u0065mail":"ada"}"#,
        r#"{"EMAIL":"ada"}"#,
        r#"{"email":["ada"]}"#,
        r#"{"email":[["ada"]]}"#,
        r#"[{"email":"ada"}]"#,
        r#"{"0":{"email":"ada"}}"#,
        r#"{"user":{"email":"ada","x":{"y":[]}}}"#,
        r#"{"user":[{"email":"ada"}]}"#,
        r#"{"user.email":"ada"}"#,
        r#"{"email":"ada","email":"Ada"}"#,
        r#"{"email":null,"user":{"email":"ada"}}"#,
    ] {
        for kind in ["application/json", "application/vnd.api+json; charset=UTF-8", "text/plain", FORM] {
            assert_eq!(sent(kind, body), "ada", "{kind} {body}");
        }
        assert_eq!(shown(&find_with(&email(), &[], None, body.as_bytes())), "ada", "no type: {body}");
    }
    assert_eq!(sent("application/json", r#"{"email":12345}"#), "12345");
    assert_eq!(sent("application/json", r#"{"emails":"ada","x":{"email":"ada"}}"#), "-");
    assert_eq!(sent("application/json", ""), "-");
    assert_eq!(sent(FORM, r#"{"a":"&email=ada&"}"#), "ada", "as a form, too");
}

#[test]
fn json_that_servers_read_differently_is_refused() {
    for (body, word) in [
        (r#"{"email":{"$eq":"ada"}}"#, "no-name"),
        (r#"{"email":{"contains":"ada"}}"#, "no-name"),
        (r#"{"email":[{"x":"ada"}]}"#, "no-name"),
        (r#"{"user":{"email":"ada","email":{"x":1}}}"#, "no-name"),
        (r#"{"email":true}"#, "no-name"),
        (r#"{"email":1.0}"#, "no-name"),
        (r#"{"email":1e3}"#, "no-name"),
        (r#"{"email":12345678901234567}"#, "no-name"),
        (r#"{"email":-1}"#, "no-name"),
        (r#"{"__proto__":{"email":"ada"}}"#, "no-name"),
        (r#"{"email\u0000":"ada"}"#, "no-name"),
        (r#"{"email":"ada\u0000x"}"#, "odd-name"),
        (r#"{"email":"ada\ud800"}"#, "json"),
        (r#"{"email":"ada",}"#, "json"),
        (r#"/**/{"email":"ada"}"#, "json"),
        ("{'email':'ada'}", "json"),
        (r#"{"email":"ada"}{}"#, "json"),
        (r#"{"variables":"{\"email\":1}"}"#, "no-name"),
    ] {
        for kind in ["application/json", "text/plain"] {
            assert_eq!(sent(kind, body), word, "{kind} {body}");
        }
    }
    let utf16: Vec<u8> = r#"{"email":"ada"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for kind in ["application/json", "text/plain", FORM] {
        assert_eq!(shown(&find_with(&email(), &[("content-type", kind)], None, &utf16)), "json", "{kind}");
    }
}

#[test]
fn attempts_are_counted_one_by_one() {
    let json = |body: &str| sent("application/json", body);
    assert_eq!(json(r#"[{"email":"ada","password":"1"},{"email":"ada","password":"2"}]"#), "2!");
    assert_eq!(json(r#"[{"query":"mutation { logIn }"},{},{}]"#), "3!");
    assert_eq!(json(r#"{"email":["ada","ada"]}"#), "2!");
    assert_eq!(json(r#"{"email":"ada","email":"eve"}"#), "2!");
    assert_eq!(json(&format!("{{\"email\":[{}\"a\"]}}", "\"a\",".repeat(20_000))), "17!");
    assert_eq!(sent(FORM, "email=ada&email=eve"), "2!");
    assert_eq!(sent(FORM, "email[]=ada&email[]=ada"), "2!");
    assert_eq!(sent(FORM, "email=ada&user[email]=eve"), "ada eve", "different fields are charged both");
    let two = email().most(2);
    let body = br#"[{"email":"ada"},{"email":"ada"}]"#;
    assert_eq!(shown(&find_with(&two, &[("content-type", "application/json")], None, body)), "ada ada");
    let many = AccountFields::default();
    assert_eq!(shown(&find_with(&many, &[], None, b"email=a&username=b&login=c&user=d")), "a b c d");
    assert_eq!(shown(&find_with(&many, &[], None, b"email=a&username=b&login=c&user=d&mail=e")), "5!");
}

#[test]
fn names_in_other_places_are_found_too() {
    let fields = email().header(HeaderName::from_static("x-api-key")).basic();
    let lines = [("authorization", "bAsIc Y2Fy:b3M="), ("content-type", FORM)];
    assert_eq!(shown(&find_with(&fields, &lines, None, b"email=x")), "authorization");
    let lines = [("authorization", "Basic Y2FyOm9z"), ("X_Api_Key", "K1"), ("content-type", FORM)];
    assert_eq!(shown(&find_with(&fields, &lines, Some("email=bob"), b"email=ada")), "k1 car bob ada");
    let only_basic = AccountFields::none().basic();
    assert_eq!(shown(&find_with(&only_basic, &[("content-encoding", "gzip")], Some("email=x"), b"\x1f\x8b")), "-", "the body is not read");
}

#[test]
fn what_cannot_be_read_is_refused() {
    let headers = HeaderMap::new();
    let head = Head { headers: &headers, query: None };
    assert_eq!(find(&email(), head, b"x=1&", false), Found::Refuse(Refusal::TooLong));
    assert_eq!(find(&AccountFields::none().basic(), head, b"x=1&", false), Found::Nothing);
    assert_eq!(Refusal::TooLong.status(), 413);
    for (lines, word, status) in [
        (("content-encoding", "gzip"), "encoding", 415),
        (("content-type", "application/json; charset=utf-16"), "charset", 415),
        (("content-type", "application/xml"), "media-type", 415),
    ] {
        let found = find_with(&email(), &[lines], None, b"{}");
        assert_eq!(shown(&found), word);
        let Found::Refuse(refusal) = found else { panic!("{found:?}") };
        assert_eq!(refusal.status(), status);
        assert!(!refusal.detail().is_empty());
    }
    assert_eq!(shown(&find_with(&email(), &[("content-type", "application/xml")], None, b"")), "-", "no body at all");
}

#[test]
fn the_usual_names() {
    let usual = |kind: &str, body: &str| shown(&find_with(&AccountFields::default(), &[("content-type", kind)], None, body.as_bytes()));
    for body in [
        "log=ada&pwd=x&wp-submit=Log+In",
        "j_username=ada",
        "_username=ada&_csrf_token=x",
        "LoginForm[username]=ada",
        "Input.Email=ada&Input.Password=x",
        "session[email_address]=ada",
        "username=ada&login=Log+in",
    ] {
        assert_eq!(usual(FORM, body), "ada", "{body}");
    }
    for body in [
        r#"{"userName":"ada"}"#,
        r#"{"user":{"email":"ada"}}"#,
        r#"{"variables":{"input":{"email":"ada"}}}"#,
        r#"{"data":{"attributes":{"email":"ada"}}}"#,
        r#"{"user[email]":"ada"}"#,
        r#"{"form.email":"ada"}"#,
    ] {
        assert_eq!(usual("application/json", body), "ada", "{body}");
    }
    assert_eq!(usual("application/json", r#"{"user":{"equals":"ada"}}"#), "no-name");
    assert_eq!(usual("application/json", r#"{"a":{"b":{"c":{"email":"ada"}}}}"#), "-");
}

fn multipart(body: &str) -> String {
    sent("multipart/form-data; boundary=b", body)
}

#[test]
fn multipart_as_clients_write_it() {
    let part = |head: &str| format!("--b\r\n{head}\r\n\r\nada\r\n--b--\r\n");
    for head in [
        "Content-Disposition: form-data; name=\"email\"",
        "content-disposition:form-data;name=email",
        "Content-Disposition: form-data; name=\"user[email]\"",
        "Content-Disposition: form-data; name=\"email\"\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit",
        "Content-Length: 3\r\nContent-Disposition: Form-Data; filename=\"\"; name=\"email\"",
        "Content-Disposition: form-data; name=\"%65mail\"",
    ] {
        assert_eq!(multipart(&part(head)), "ada", "{head}");
    }
    assert_eq!(multipart(&part("Content-Disposition: form-data; name=\"x\"")), "-");
    assert_eq!(multipart(&part("Content-Disposition: form-data; name=\"email[$eq]\"")), "no-name");
    for head in [
        "Content-Disposition: form-data",
        "Content-Disposition: attachment; name=\"email\"",
        "Content-Disposition: form-data; name*=utf-8''email",
        "Content-Disposition: form-data; name='email'",
        "Content-Disposition: form-data; name=\"x\"; name=\"email\"",
        "Content-Disposition: form-data; name=\"e\\mail\"",
        "Content-Disposition: form-data; name=\"x\\\"; name=\"email\"",
        "Content-Disposition: form-data;\r\n name=\"email\"",
        "Content-Disposition: form-data; name=\"x\"\r\nContent-Disposition: form-data; name=\"email\"",
        "Content-Disposition : form-data; name=\"email\"",
        "Content-Disposition: form-data; name=\"x\nContent-Disposition: form-data; name=\"email\"",
        "Content-Disposition: form-data; name=\"email\"\r\nContent-Transfer-Encoding: base64",
        "Content-Disposition: form-data; name=\"email\"\r\nContent-Type: multipart/mixed; boundary=c",
        "X: y",
    ] {
        assert_eq!(multipart(&part(head)), "multipart", "{head}");
    }
    let utf16 = "Content-Disposition: form-data; name=\"email\"\r\nContent-Type: text/plain; charset=utf-16le";
    assert_eq!(multipart(&part(utf16)), "charset");
    assert_eq!(multipart("--b\r\nContent-Disposition: form-data; name=\"_charset_\"\r\n\r\nutf-16\r\n--b--"), "charset");
}

#[test]
fn multipart_with_other_borders_is_refused() {
    let head = "Content-Disposition: form-data; name=\"email\"";
    for body in [
        format!("--b\r\n{head}\r\n\r\nada\r\n--b\r\n"),
        format!("--b\r\n{head}\r\n\r\nada"),
        format!("--b\n{head}\n\nada\n--b--\n"),
        format!("x\r\n--b\r\n{head}\r\n\r\nada\r\n--b--"),
        format!("--b \r\n{head}\r\n\r\nada\r\n--b--"),
        format!("--b\r\n{head}\r\n\r\nada\n--b--"),
        format!("--b\r\n{head}\r\n\r\nada--b--\r\n--b--"),
        format!("--b--\r\n--b\r\n{head}\r\n\r\nada\r\n--b--"),
        format!("--bc\r\n{head}\r\n\r\nada\r\n--bc--"),
        "--b".to_owned(),
        "--b\r\n--b--".to_owned(),
        String::from("x"),
    ] {
        assert_eq!(multipart(&body), "multipart", "{body}");
    }
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|b| vec![b]),
        prop::sample::select(vec![
            "email",
            "user",
            "[",
            "]",
            "=",
            "&",
            ";",
            ".",
            "{\"",
            "\":",
            "\"",
            ",",
            "}",
            "%",
            "%5B",
            "--b",
            "\r\n",
            "name=\"email\"",
            "[]",
            "Content-Disposition: form-data; ",
            "\\u00",
            "1",
            "\u{e9}",
            "--",
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_request_panics(body in any_bytes(), query in "\\PC{0,30}", kind in 0usize..5, basic in any::<Vec<u8>>()) {
        let kinds = [FORM, "application/json", "multipart/form-data; boundary=b", "text/plain", "x"];
        let mut headers = HeaderMap::new();
        headers.insert("content-type", kinds[kind].parse().unwrap());
        let _ = find(&email().basic(), Head { headers: &headers, query: Some(&query) }, &body, true);
        if let Ok(value) = http::HeaderValue::from_bytes(&[b"Basic ", &basic[..]].concat()) {
            headers.insert("authorization", value);
        }
        let _ = find(&AccountFields::default(), Head { headers: &headers, query: Some(&query) }, &body, true);
    }

    #[test]
    fn one_name_is_found_wherever_it_is(name in "[a-z0-9@.]{1,20}", padding in "[a-z&;%+.\\[\\]]{0,40}", escaped in 0usize..5) {
        let key: String = "email".char_indices().map(|(i, c)| if i == escaped { format!("%{:02x}", c as u8) } else { c.to_string() }).collect();
        let form = format!("{padding}&{key}={name}");
        let found = find_with(&email(), &[("content-type", FORM)], None, form.as_bytes());
        let known = matches!(&found, Found::Names(names) if names.iter().any(|n| n.as_str() == name));
        prop_assert!(known || !matches!(found, Found::Names(_) | Found::Nothing), "{}", form);
        let json = format!("{{\"x\":{},\"user\":{{\"\\u0065mail\":\"{name}\"}}}}", serde_json::Value::from(padding));
        prop_assert_eq!(sent("application/json", &json), name);
    }
}
