//! One account's name, in normal form.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::refusal::Refusal;
use crate::limit::{Subject, normalize_name};

/// Characters that a name may have. Mail addresses have at most 254 (RFC 5321 4.5.3.1.3).
const LONGEST: usize = 512;

/// An account's name: as [`normalize_name`] has it, and without accents, because the usual collations of MySQL and the log-in of
/// WordPress take `v\u{ed}ctim` for `victim`.
///
/// It is never printed by `Debug`: names end in logs, and people type passwords into the wrong field.
#[derive(Clone)]
pub struct Name {
    normal: String,
    /// A digest of the name as it was sent; none if it was sent in several spellings.
    spelling: Option<Subject>,
}

/// Two spellings of one account are one name.
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.normal == other.normal
    }
}

impl Eq for Name {}

impl Name {
    /// The name as it was sent; none if nothing is left of it.
    ///
    /// # Errors
    /// It is longer than 512 characters, is not UTF-8, or holds something that apps are known to cut away: NUL and what follows,
    /// tags, character references, percent-encodings. There would be no end of spellings.
    pub(in crate::login) fn read(sent: &[u8]) -> Result<Option<Self>, Refusal> {
        let sent = std::str::from_utf8(sent).map_err(|_| Refusal::OddName)?;
        if sent.chars().nth(LONGEST).is_some() || is_marked_up(sent.as_bytes()) {
            return Err(Refusal::OddName);
        }
        let normal = normalize_name(sent);
        let normal = if normal.is_ascii() { normal } else { normalize_name(&without_accents(&normal)) };
        Ok((!normal.is_empty()).then(|| Self::spelled(normal, sent)))
    }

    /// The value of a header field: a name, or a key or token, which may be longer.
    pub(super) fn read_key(sent: &[u8]) -> Result<Option<Self>, Refusal> {
        if sent.len() > LONGEST && sent.iter().all(u8::is_ascii_graphic) {
            let key = String::from_utf8_lossy(sent);
            return Ok(Some(Self::spelled(key.clone().into_owned(), &key)));
        }
        Self::read(sent)
    }

    fn spelled(normal: String, sent: &str) -> Self {
        Self { normal, spelling: Some(Subject::of(["spelling", sent])) }
    }

    /// The same name, sent in another place too.
    pub(super) fn joined(self, other: &Self) -> Self {
        let spelling = self.spelling.filter(|_| self.spelling == other.spelling);
        Self { spelling, ..self }
    }

    /// The name in normal form, in clear.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.normal
    }

    /// What limits count it under.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject::of(["account", &self.normal])
    }

    /// The name to the letter, for what must not hold for another spelling: to an app that tells `Ada` from `ada`, who is the one
    /// has not signed in as the other. None if the request spells it in several ways.
    #[must_use]
    pub fn spelling(&self) -> Option<Subject> {
        self.spelling
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(..)")
    }
}

fn is_marked_up(name: &[u8]) -> bool {
    let reference = memchr::memchr(b'&', name).and_then(|at| name.get(at..)).is_some_and(|rest| rest.contains(&b';'));
    let escape = |w: &[u8]| matches!(w, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    reference || memchr::memchr3(b'<', b'>', 0, name).is_some() || name.windows(3).any(escape)
}

/// Letters that are their own to Unicode, and an accented letter to databases.
fn without_accents(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ø' => bare.push('o'),
            'ł' => bare.push('l'),
            'đ' | 'ð' => bare.push('d'),
            'ħ' => bare.push('h'),
            'ŧ' => bare.push('t'),
            'ı' => bare.push('i'),
            'æ' => bare.push_str("ae"),
            'œ' => bare.push_str("oe"),
            'þ' => bare.push_str("th"),
            c => bare.push(c),
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(sent: &str) -> String {
        Name::read(sent.as_bytes()).unwrap().unwrap().normal
    }

    #[test]
    fn spellings_of_one_account_are_one_name() {
        for other in ["Víctim@Example.org", " victim@exa\u{301}mple.org ", "ｖｉｃｔｉｍ@example.org", "VI\u{10c}TIM@example.org"] {
            assert_eq!(name(other), "victim@example.org", "{other}");
        }
        assert_eq!(name("Łódź"), "lodz");
        assert_eq!(name("Ærø"), "aero");
        assert_eq!(Name::read(" \u{301}".as_bytes()).unwrap(), None);
        assert_eq!(Name::read("a".as_bytes()).unwrap().unwrap().subject(), Name::read(b"A ").unwrap().unwrap().subject());
    }

    #[test]
    fn names_that_apps_cut_are_refused() {
        for odd in ["victim\0x", "vic<b>tim", "vic&x;tim", "vic%41tim", &" ".repeat(513)] {
            assert_eq!(Name::read(odd.as_bytes()), Err(Refusal::OddName), "{odd}");
        }
        assert_eq!(Name::read(b"victim\xff"), Err(Refusal::OddName));
        for fine in ["a&b", "100%", "%zz", "DOMAIN\\ada", "cn=ada,dc=x", "o'neil", &"a".repeat(512)] {
            assert!(Name::read(fine.as_bytes()).unwrap().is_some(), "{fine}");
        }
    }

    #[test]
    fn tokens_may_be_longer() {
        let token = [b'x'; 2000];
        assert_eq!(Name::read_key(&token).unwrap().unwrap().as_str().len(), 2000);
        assert_eq!(Name::read_key(&[&token[..], b" y"].concat()), Err(Refusal::OddName));
        assert_eq!(Name::read_key(b"Ada"), Name::read(b"ada"));
    }

    #[test]
    fn one_account_in_two_spellings_has_none() {
        let read = |sent: &str| Name::read(sent.as_bytes()).unwrap().unwrap();
        assert_eq!(read("ada").spelling(), read("ada").spelling());
        assert!(read("ada") == read("Ada") && read("ada").spelling() != read("Ada").spelling());
        assert!(read("ada").joined(&read("ada")).spelling().is_some() && read("ada").joined(&read("Ada")).spelling().is_none());
    }

    #[test]
    fn names_are_not_printed() {
        assert_eq!(format!("{:?}", Name::read(b"hunter2").unwrap()), "Some(Name(..))");
    }
}
