//! Which method an app could take a request for.

use http::{HeaderMap, Method};

use super::account::decoded;

/// Fields that frameworks take another method from, if they are told to: whoever guards `POST` must not be stepped round by a
/// `PUT` that says it is one.
const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];
/// The same in a query.
const OVERRIDE_FIELD: &str = "_method";

/// The methods that a request may be taken for.
#[derive(Debug)]
pub(super) struct Methods<'r> {
    pub(super) method: &'r Method,
    pub(super) headers: &'r HeaderMap,
    pub(super) query: Option<&'r str>,
}

impl Methods<'_> {
    /// Whether it may be one of these. Compared in any case: some frameworks fold it.
    pub(super) fn any(&self, methods: &[Method]) -> bool {
        methods.iter().any(|m| m == self.method || self.may_be(m.as_str()))
    }

    fn may_be(&self, method: &str) -> bool {
        let is = |text: &str| text.split(',').any(|part| part.trim().eq_ignore_ascii_case(method));
        let by_header = || OVERRIDES.iter().flat_map(|name| self.headers.get_all(*name)).any(|v| v.to_str().is_ok_and(is));
        let pairs = || self.query.into_iter().flat_map(|q| q.split(['&', ';'])).filter_map(|pair| pair.split_once('='));
        let text = |part: &str| String::from_utf8_lossy(&decoded(part.as_bytes())).into_owned();
        let by_query = || pairs().any(|(name, value)| text(name).eq_ignore_ascii_case(OVERRIDE_FIELD) && is(&text(value)));
        is(self.method.as_str()) || by_header() || by_query()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_said_to_be_another_counts_as_both() {
        let may_be_post = |method: &str, field: Option<(&'static str, &str)>, query: Option<&str>| {
            let headers: HeaderMap = field.into_iter().map(|(n, v)| (http::HeaderName::from_static(n), v.parse().unwrap())).collect();
            let method = method.parse().unwrap();
            Methods { method: &method, headers: &headers, query }.any(&[Method::POST])
        };
        assert!(may_be_post("POST", None, None) && may_be_post("post", None, None));
        for name in OVERRIDES {
            assert!(may_be_post("GET", Some((name, "post")), None) && may_be_post("PUT", Some((name, "GET, POST")), None));
        }
        assert!(may_be_post("GET", None, Some("a=b&_method=post")) && may_be_post("PUT", None, Some("%5Fmethod=%50ost")));
        assert!(!may_be_post("GET", Some(("x-http-method", "PUT")), Some("_method=PUT&x=POST")) && !may_be_post("PUT", None, None));
    }
}
