//! The few elements of a page that say something about its safety: scripts, links, `<meta>` and where forms go.
//!
//! A page is the graded site's own, but it may carry what strangers wrote, and a scan may be pointed at a hostile site. So the page
//! is read by a tokenizer without a tree: time grows with the length alone, nothing is nested in memory and nothing recurses, however
//! deep the page is. At most [`MOST_BYTES`] are read and at most [`MOST_ELEMENTS`] elements kept; what is beyond is told by
//! [`Document::whole`]. Of a tag only the attributes asked for are kept.
//!
//! What a tokenizer without a tree cannot know is where an element ends up: a script inside `<template>` or `<noscript>` is seen
//! like any other, as the MDN HTTP Observatory sees it; like there, too, a CDATA section hides tags anywhere, and comments in a script
//! do not nest. What decides whether a tag is a tag at all is followed: comments, raw text
//! (`<textarea>`, `<style>`, `<iframe>`…), and the other rules within SVG and MathML.

use std::convert::Infallible;
use std::mem;

use html5gum::{Emitter, Error, State, Tokenizer};

/// How much of a page is read: 2 MiB.
pub(crate) const MOST_BYTES: usize = 2 << 20;
/// How many elements are kept.
const MOST_ELEMENTS: usize = 20_000;
/// How deep SVG and MathML are followed into each other.
const DEEPEST: usize = 64;

/// What a page has, in the order of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// All `<script>`, inline ones included.
    pub scripts: Vec<Element>,
    /// All `<link>`.
    pub links: Vec<Element>,
    /// All `<meta>`.
    pub metas: Vec<Element>,
    /// All `<form>` with an `action`, and all buttons with a `formaction`.
    pub forms: Vec<Element>,
    /// Whether the page was read to its end and everything kept.
    pub whole: bool,
}

/// One element: the attributes of [`KEPT`] that it has. A name that is there twice has its first value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Element {
    attributes: Vec<(&'static str, String)>,
}

/// The attributes that are kept.
const KEPT: [&str; 12] =
    ["src", "integrity", "crossorigin", "nonce", "type", "rel", "href", "name", "http-equiv", "content", "action", "formaction"];

/// The elements of SVG and MathML that hold HTML again. They are not told apart.
const HTML_AGAIN: [&[u8]; 9] = [b"foreignobject", b"desc", b"title", b"mi", b"mo", b"mn", b"ms", b"mtext", b"annotation-xml"];

impl Element {
    /// The value of an attribute; the empty text if it is there without a value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str())
    }
}

/// Reads a page. Bytes that are not UTF-8 are replaced.
pub(crate) fn read(body: &[u8]) -> Document {
    let (body, cut) = match body.get(..MOST_BYTES) {
        Some(start) if body.len() > MOST_BYTES => (start, true),
        _ => (body, false),
    };
    let text = String::from_utf8_lossy(body);
    let mut document = Document { scripts: Vec::new(), links: Vec::new(), metas: Vec::new(), forms: Vec::new(), whole: !cut };
    // Reading from memory cannot fail.
    _ = Tokenizer::new_with_emitter(text.as_ref(), Reader::new(&mut document)).finish();
    document
}

/// What the tokenizer calls for each piece of a tag.
struct Reader<'d> {
    document: &'d mut Document,
    end: bool,
    self_closing: bool,
    name: Vec<u8>,
    last_start: Vec<u8>,
    attribute: Vec<u8>,
    value: Vec<u8>,
    element: Element,
    /// The open `<svg>`, `<math>` and, inside them, the elements that hold HTML again.
    foreign: Vec<Vec<u8>>,
}

impl<'d> Reader<'d> {
    fn new(document: &'d mut Document) -> Self {
        Self {
            document,
            end: false,
            self_closing: false,
            name: Vec::new(),
            last_start: Vec::new(),
            attribute: Vec::new(),
            value: Vec::new(),
            element: Element::default(),
            foreign: Vec::new(),
        }
    }

    fn start(&mut self, end: bool) {
        self.end = end;
        self.self_closing = false;
        self.name.clear();
        self.attribute.clear();
        self.value.clear();
        self.element = Element::default();
    }

    /// Puts the attribute that was being read on the element, if it is one that is kept and the first of its name.
    fn attribute_ends(&mut self) {
        let value = mem::take(&mut self.value);
        let known = KEPT.into_iter().find(|name| name.as_bytes() == self.attribute.as_slice());
        if let Some(name) = known
            && self.element.attribute(name).is_none()
        {
            self.element.attributes.push((name, String::from_utf8_lossy(&value).into_owned()));
        }
        self.attribute.clear();
    }

    fn in_foreign(&self) -> bool {
        matches!(self.foreign.last().map(Vec::as_slice), Some(b"svg" | b"math"))
    }

    /// Follows SVG and MathML in and out (HTML, section 13.2.6.5: foreign content and integration points).
    fn follow(&mut self) {
        let name = self.name.as_slice();
        if self.end {
            // An end tag closes the nearest of its name, and what was left open within.
            if let Some(at) = self.foreign.iter().rposition(|open| open == name) {
                self.foreign.truncate(at);
            }
            return;
        }
        let opens = matches!(name, b"svg" | b"math") || (self.in_foreign() && HTML_AGAIN.contains(&name));
        if opens && !self.self_closing && self.foreign.len() < DEEPEST {
            self.foreign.push(self.name.clone());
        }
    }

    fn keep(&mut self) {
        let document = &mut *self.document;
        let list = match self.name.as_slice() {
            b"script" => &mut document.scripts,
            b"link" => &mut document.links,
            b"meta" => &mut document.metas,
            b"form" if self.element.attribute("action").is_some() => &mut document.forms,
            b"button" | b"input" if self.element.attribute("formaction").is_some() => &mut document.forms,
            _ => return,
        };
        if list.len() < MOST_ELEMENTS {
            list.push(mem::take(&mut self.element));
        } else {
            document.whole = false;
        }
    }
}

/// How the text after a start tag is to be read. A script is plain raw text here: its comments do not nest.
fn text_after(name: &[u8]) -> Option<State> {
    match name {
        b"textarea" | b"title" => Some(State::RcData),
        b"script" | b"style" | b"xmp" | b"iframe" | b"noembed" | b"noframes" => Some(State::RawText),
        b"plaintext" => Some(State::PlainText),
        _ => None,
    }
}

impl Emitter for Reader<'_> {
    type Token = Infallible;

    fn set_last_start_tag(&mut self, name: Option<&[u8]>) {
        self.last_start = name.unwrap_or_default().to_vec();
    }

    fn emit_eof(&mut self) {}

    fn emit_error(&mut self, _: Error) {}

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<Infallible> {
        None
    }

    fn emit_string(&mut self, _: &[u8]) {}

    fn init_start_tag(&mut self) {
        self.start(false);
    }

    fn init_end_tag(&mut self) {
        self.start(true);
    }

    fn init_comment(&mut self) {}

    fn emit_current_tag(&mut self) -> Option<State> {
        self.attribute_ends();
        let was_foreign = self.in_foreign();
        if !self.end {
            self.last_start.clone_from(&self.name);
            self.keep();
        }
        self.follow();
        if self.end || was_foreign { None } else { text_after(&self.name) }
    }

    fn emit_current_comment(&mut self) {}

    fn emit_current_doctype(&mut self) {}

    fn set_self_closing(&mut self) {
        self.self_closing = true;
    }

    fn set_force_quirks(&mut self) {}

    fn push_tag_name(&mut self, s: &[u8]) {
        self.name.extend_from_slice(s);
    }

    fn push_comment(&mut self, _: &[u8]) {}

    fn push_doctype_name(&mut self, _: &[u8]) {}

    fn init_doctype(&mut self) {}

    fn init_attribute(&mut self) {
        self.attribute_ends();
    }

    fn push_attribute_name(&mut self, s: &[u8]) {
        self.attribute.extend_from_slice(s);
    }

    fn push_attribute_value(&mut self, s: &[u8]) {
        self.value.extend_from_slice(s);
    }

    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.end && !self.last_start.is_empty() && self.last_start == self.name
    }

    /// A CDATA section is one everywhere, not only within SVG and MathML.
    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sources(html: &str) -> Vec<String> {
        read(html.as_bytes()).scripts.iter().filter_map(|s| s.attribute("src")).map(str::to_owned).collect()
    }

    #[test]
    fn elements_and_their_attributes() {
        let page =
            read(b"<SCRIPT Src=/a INTEGRITY='x&amp;y' src=/b async></SCRIPT><link rel=stylesheet href=c><meta NAME=referrer content>");
        assert_eq!(page.scripts[0].attribute("src"), Some("/a"));
        assert_eq!(page.scripts[0].attribute("integrity"), Some("x&y"));
        assert_eq!(page.scripts[0].attribute("async"), None);
        assert_eq!(page.links[0].attribute("href"), Some("c"));
        assert_eq!(page.metas[0].attribute("content"), Some(""));
        assert!(page.whole);
    }

    #[test]
    fn what_is_text_is_no_tag() {
        for html in [
            "<!-- %s -->",
            "<textarea>%s</textarea>",
            "<title>%s</title>",
            "<style>%s</style>",
            "<iframe>%s</iframe>",
            "<a title='%s'>",
            "<plaintext>%s",
            "<svg><![CDATA[ %s ]]></svg>",
            "<![CDATA[ %s",
            "<svg><foreignObject><textarea>%s</textarea></foreignObject></svg>",
            "<svg/><style>%s</style>",
            "<script>%s</script>",
        ] {
            assert_eq!(sources(&html.replace("%s", "<script src=x></script>")), [""; 0], "{html}");
        }
        for html in [
            "<!--> %s -->",
            "<noscript>%s</noscript>",
            "<template>%s</template>",
            "<svg><style>%s</style></svg>",
            "<svg><title>%s</title></svg>",
            "<math><textarea>%s</textarea></math>",
            "<script></SCRIPT >%s",
            "<style><!--</style>%s--></style>",
            "</svg><b <p>%s",
        ] {
            assert_eq!(sources(&html.replace("%s", "<script src=x></script>")), ["x"], "{html}");
        }
    }

    #[test]
    fn hostile_pages_are_read_in_step() {
        let deep = format!("{}<script src=x></script>", "<div><svg><desc><b>".repeat(100_000));
        assert_eq!(sources(&deep), ["x"]);
        let wide: String = (0..100_000).map(|n| format!(" a{n:x}")).collect();
        assert_eq!(sources(&format!("<p{wide}><script src=x{wide}></script>")), ["x"]);
        let many = read(b"<script>");
        assert!(many.whole);
        assert!(!read("<meta>".repeat(MOST_ELEMENTS + 1).as_bytes()).whole);
        let long = format!("{}<script src=x></script>", "-".repeat(MOST_BYTES));
        assert!(sources(&long).is_empty() && !read(long.as_bytes()).whole);
    }

    proptest! {
        #[test]
        fn no_page_panics(body in proptest::collection::vec(any::<u8>(), 0..300), html in "(<|>|/|!|-|=|'|\"| |&|;|script|svg|title|CDATA\\[|\\]|src|\\PC){0,60}") {
            read(&body);
            read(html.as_bytes());
        }
    }
}
