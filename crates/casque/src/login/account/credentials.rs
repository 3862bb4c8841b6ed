//! Names in header fields: Basic credentials (RFC 7617) and keys.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::fields::AccountFields;
use super::refusal::Refusal;
use super::walk::{Gathered, Source};

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);

/// Names in the header fields that may hold them, of every line.
pub(super) fn read(fields: &AccountFields, headers: &HeaderMap, gathered: &mut Gathered) -> Result<(), Refusal> {
    for wanted in &fields.headers {
        // Servers that make variables of header fields (CGI, WSGI) make one name of `-` and `_`.
        let same = |name: &str| name.len() == wanted.as_str().len() && name.replace('_', "-") == wanted.as_str().replace('_', "-");
        for (_, value) in headers.iter().filter(|(name, _)| same(name.as_str())) {
            gathered.add(Source::Header, wanted.as_str(), &[], value.as_bytes().trim_ascii());
        }
    }
    if fields.basic {
        for line in headers.get_all(AUTHORIZATION) {
            if let Some(user) = basic_user(line.as_bytes())? {
                gathered.add(Source::Basic, "", &[], &user);
            }
        }
    }
    Ok(())
}

/// The user, if the credentials are Basic: what stands before the first colon.
fn basic_user(line: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let line = line.trim_ascii();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (scheme, token) = line.split_at(end);
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return Ok(None);
    }
    // Some servers skip what is not of the alphabet, some read that of URLs.
    let mut user = BASE64.decode(token.trim_ascii()).map_err(|_| Refusal::Authorization)?;
    if let Some(colon) = memchr::memchr(b':', &user) {
        user.truncate(colon);
    }
    Ok(Some(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_in_every_spelling() {
        for line in ["Basic YWRhOnB3", "bASIC   YWRhOnB3 ", "basic\tYWRhOnB3", "Basic YWRhOjE6Mg==", "Basic YWRhOjE6Mg", "Basic YWRh"] {
            assert_eq!(basic_user(line.as_bytes()), Ok(Some(b"ada".to_vec())), "{line}");
        }
        assert_eq!(basic_user(b"Basic"), Ok(Some(Vec::new())));
        assert_eq!(basic_user(b"Bearer YWRhOnB3"), Ok(None));
        for odd in ["Basic YWRh.OnB3", "Basic YWR-", "Basic a, Basic b", "Basic =", "Basic YWRhOjE6Mg==YWRh", "Basic YWRh\u{e9}"] {
            assert_eq!(basic_user(odd.as_bytes()), Err(Refusal::Authorization), "{odd}");
        }
    }
}
