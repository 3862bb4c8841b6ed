//! Which fields of a request hold account names.

use std::collections::HashSet;

use http::HeaderName;

/// What the fields of log-in pages are called, as [`fold`] makes it. `account` is not among them: with many it is a tenant, whose users
/// would share one budget.
const USUAL: [&str; 17] = [
    "email",
    "emailaddress",
    "identifier",
    "jusername",
    "log",
    "login",
    "loginemail",
    "loginid",
    "loginname",
    "mail",
    "phone",
    "phonenumber",
    "uname",
    "user",
    "userid",
    "userlogin",
    "username",
];

/// What stands on buttons of pages that name the button `login`, as others name the field.
const LABELS: [&str; 14] =
    ["login", "signin", "logon", "submit", "continue", "next", "enter", "go", "ok", "1", "true", "on", "anmelden", "connexion"];

/// How many keys may stand above a usual name: `user[email]`, `{"variables":{"input":{"email":…}}}`.
pub(super) const PARENTS: usize = 2;

/// Characters of one step that are looked at, without those that make no difference.
const STEP: usize = 64;

/// Which fields hold account names.
///
/// Fields of a form and of JSON are one set: `form("user[email]")` and `json("/user/email")` mean the same, and are looked for in
/// urlencoded and multipart forms, in JSON and in the query, because the client chooses which he sends. The [`Default`] is a
/// guess at the names that log-in pages use, and Basic credentials; naming your own is better, for then nothing else is taken
/// for a name.
#[derive(Debug, Clone)]
pub struct AccountFields {
    named: HashSet<String>,
    /// The steps above the named, where a document in a string would hide them.
    above: HashSet<String>,
    usual: bool,
    pub(super) headers: Vec<HeaderName>,
    pub(super) basic: bool,
    most: usize,
    longest: usize,
}

impl Default for AccountFields {
    /// The usual names, at the top or below up to two keys of any name, and Basic.
    fn default() -> Self {
        let mut fields = Self::none().basic();
        fields.usual = true;
        fields.longest = USUAL.iter().map(|name| name.len()).max().unwrap_or(0);
        fields.named = USUAL.iter().map(|name| (*name).to_owned()).collect();
        fields
    }
}

impl AccountFields {
    /// No field yet.
    #[must_use]
    pub fn none() -> Self {
        Self {
            named: HashSet::new(),
            above: HashSet::from(["variables".to_owned(), "operations".to_owned()]),
            usual: false,
            headers: Vec::new(),
            basic: false,
            most: 1,
            longest: 0,
        }
    }

    /// And the field that a form calls this: `email`, `user[email]`, `Input.Email`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence fragment with the remedy.
    pub fn form(self, name: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        super::form::steps(name, |step| steps.push(step.to_owned()));
        self.name(&steps).map_err(|()| format!("`{name}` names no field, as email or user[email] does"))
    }

    /// And the field of JSON at this pointer (RFC 6901): `/email`, `/user/email`. `*` stands for each element of an array, and may be left
    /// out: arrays do not count as steps.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence fragment with the remedy.
    pub fn json(self, pointer: &str) -> Result<Self, String> {
        let Some(steps) = pointer.strip_prefix('/') else {
            return Err(format!("`{pointer}` must start with `/`, as in /user/email"));
        };
        let steps: Vec<String> = steps.split('/').filter(|s| *s != "*").map(|s| s.replace("~1", "/").replace("~0", "~")).collect();
        self.name(&steps).map_err(|()| format!("`{pointer}` names no field, as /user/email does"))
    }

    /// And this header field, such as `x-api-key`. A longer value than names have counts as it is, if it is ASCII without white space, as
    /// tokens are. For Authorization see [`AccountFields::basic`].
    #[must_use]
    pub fn header(mut self, name: HeaderName) -> Self {
        self.headers.push(name);
        self
    }

    /// And the user of Basic credentials (RFC 7617).
    #[must_use]
    pub fn basic(mut self) -> Self {
        self.basic = true;
        self
    }

    /// How many names one field may have in one request; 1 unless told otherwise, at least 1 and at most 8. Different fields may hold
    /// different names, three more in all, for a name and a mail address are sent together when somebody registers.
    #[must_use]
    pub fn most(mut self, names: usize) -> Self {
        self.most = names.clamp(1, 8);
        self
    }

    pub(super) fn most_names(&self) -> usize {
        self.most
    }

    /// Whether names are looked for in bodies and queries.
    pub(super) fn has_named(&self) -> bool {
        !self.named.is_empty()
    }

    /// Whether this way, as [`fold`] makes it, leads to a name.
    pub(super) fn is_named(&self, way: &str) -> bool {
        way.len() <= self.longest && self.named.contains(way)
    }

    /// Whether a key ends in a usual name with its parents in front, as `user.email` does where a framework flattens objects.
    pub(super) fn is_flattened(&self, key: &str) -> bool {
        let Some(at) = key.rfind(['[', '.', ':']).filter(|_| self.usual) else { return false };
        let mut name = String::new();
        fold(key.get(at..).unwrap_or_default(), &mut name);
        self.is_named(&name)
    }

    /// How many keys above a name do not count.
    pub(super) fn parents(&self) -> usize {
        if self.usual { PARENTS } else { 0 }
    }

    /// Whether a way stops above a name.
    pub(super) fn is_above(&self, way: &str) -> bool {
        self.above.contains(way)
    }

    /// Whether a value is that of a button, whose name was guessed to be an account's.
    pub(super) fn is_label(&self, way: &str, value: &str) -> bool {
        self.usual && way.ends_with("login") && LABELS.contains(&value)
    }

    /// Fails if nothing is left of the steps.
    fn name(mut self, steps: &[String]) -> Result<Self, ()> {
        let mut way = String::new();
        for step in steps.iter().filter(|step| !is_index(step)) {
            if !way.is_empty() {
                self.above.insert(way.clone());
            }
            fold(step, &mut way);
        }
        if way.is_empty() {
            return Err(());
        }
        self.longest = self.longest.max(way.len());
        self.named.insert(way);
        Ok(self)
    }
}

/// Adds a step to a way, without what makes no difference: case, `_`, `-`, white space, brackets and dots.
pub(super) fn fold(step: &str, way: &mut String) {
    let ignored = |c: char| matches!(c, '_' | '-' | '.' | ':' | '[' | ']' | '\u{feff}') || c.is_whitespace() || c.is_control();
    for c in step.chars().filter(|c| !ignored(*c)).take(STEP) {
        if c.is_ascii() {
            way.push(c.to_ascii_lowercase());
        } else {
            // As Go does: the long s is an s, the Kelvin sign a k.
            way.extend(c.to_uppercase().flat_map(char::to_lowercase));
        }
    }
}

/// Whether a key is an array's index, or as good as one.
pub(super) fn is_index(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_pointers_are_one_set() {
        let form = AccountFields::none().form("user[email]").unwrap();
        let json = AccountFields::none().json("/user/email").unwrap();
        let list = AccountFields::none().json("/user/*/email").unwrap();
        assert_eq!(form.named, json.named);
        assert_eq!(form.named, list.named);
        assert!(form.is_named("useremail") && !form.is_named("email"));
        assert!(form.is_above("user"));
        assert!(AccountFields::none().json("/a~1b/c~0d").unwrap().is_named("a/bc~d"));
    }

    #[test]
    fn pointers_to_nothing_are_told() {
        for (pointer, told) in [
            ("email", "must start with `/`"),
            ("", "must start"),
            ("/", "names no field"),
            ("/*", "names no field"),
            ("/0", "names no field"),
        ] {
            assert!(AccountFields::none().json(pointer).unwrap_err().contains(told), "{pointer}");
        }
        for name in ["", "_", "[]", "0"] {
            assert!(AccountFields::none().form(name).unwrap_err().contains("names no field"), "{name}");
        }
    }

    #[test]
    fn the_usual_names_are_written_as_they_are_looked_up() {
        for name in USUAL {
            let mut way = String::new();
            fold(name, &mut way);
            assert_eq!(way, name);
        }
    }

    #[test]
    fn spellings_of_a_step_are_one() {
        for spelling in ["userName", "user_name", "USER-NAME", " user name", "u\u{17f}ername", "user.name"] {
            let mut way = String::new();
            fold(spelling, &mut way);
            assert_eq!(way, "username", "{spelling}");
        }
    }
}
