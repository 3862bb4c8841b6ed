//! What kind of thing a response is, by its status and `Content-Type` alone.

/// The kinds of response that get different headers.
///
/// Never by file extension, and never by looking into the body: only what the browser itself goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// Anything else that a browser might make a page of: XML, SVG, PDF, plain text, a type we do not know.
    Document = 1,
    /// A script or WebAssembly. A worker takes its Content-Security-Policy from its script's response.
    Script = 2,
    /// Data and media: JSON, styles, images, fonts, audio, video, event streams.
    Asset = 4,
    /// 204 and 205: nothing to protect but the connection.
    Empty = 8,
    /// 304: updates the stored response's headers, so a fresh Content-Security-Policy here would replace the one that the
    /// stored body was made for.
    NotModified = 16,
    /// A page: HTML, or no type at all.
    Page = 32,
}

impl Class {
    /// All classes, in the order of their bits.
    pub const ALL: [Self; 6] = [Self::Document, Self::Script, Self::Asset, Self::Empty, Self::NotModified, Self::Page];

    /// The class of a final response; `None` for 1xx, which carries no policy.
    #[must_use]
    pub fn of(status: u16, content_type: Option<&[u8]>) -> Option<Self> {
        match status {
            100..=199 => None,
            204 | 205 => Some(Self::Empty),
            304 => Some(Self::NotModified),
            // A list: browsers take the last that they can read, and doubt counts as a page.
            _ => Some(content_type.filter(|t| !t.contains(&b',')).map_or(Self::Page, by_type)),
        }
    }

    pub(super) fn index(self) -> usize {
        (self as u8).trailing_zeros() as usize
    }
}

fn by_type(content_type: &[u8]) -> Class {
    let essence = content_type.split(|b| *b == b';').next().unwrap_or(content_type).trim_ascii();
    let is = |t: &str| essence.eq_ignore_ascii_case(t.as_bytes());
    let starts = |t: &str| essence.len() > t.len() && essence[..t.len()].eq_ignore_ascii_case(t.as_bytes());
    let ends = |t: &str| essence.len() > t.len() && essence[essence.len() - t.len()..].eq_ignore_ascii_case(t.as_bytes());
    // JSON first: it is what an API sends all day.
    if is("application/json") || is("text/css") || is("text/event-stream") || ends("+json") {
        return Class::Asset;
    }
    if is("text/html") || is("application/xhtml+xml") || essence.is_empty() {
        return Class::Page;
    }
    if is("text/javascript")
        || is("application/javascript")
        || is("application/ecmascript")
        || is("text/ecmascript")
        || is("application/x-javascript")
        || is("application/wasm")
    {
        return Class::Script;
    }
    let media = starts("image/")
        || starts("font/")
        || starts("audio/")
        || starts("video/")
        || starts("application/font")
        || starts("application/x-font");
    // An SVG image is a document when it is opened on its own, and may hold scripts.
    if media && !ends("+xml") { Class::Asset } else { Class::Document }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_go_by_type_and_doubt_counts_as_a_document() {
        let class = |t: &str| Class::of(200, Some(t.as_bytes())).unwrap();
        for t in ["text/html; charset=utf-8", "TEXT/HTML", "application/xhtml+xml", ""] {
            assert_eq!(class(t), Class::Page, "{t}");
        }
        for t in ["image/svg+xml", "application/pdf", "text/plain", "application/octet-stream", "x", "image", "image/", "garbage; type"] {
            assert_eq!(class(t), Class::Document, "{t}");
        }
        for t in [
            "application/json",
            "application/json;charset=utf-8",
            "image/png",
            "font/woff2",
            "text/css",
            "video/mp4",
            "application/ld+json",
        ] {
            assert_eq!(class(t), Class::Asset, "{t}");
        }
        for t in ["text/javascript", "application/javascript; charset=utf-8", "application/wasm"] {
            assert_eq!(class(t), Class::Script, "{t}");
        }
        assert_eq!(class("image/png;a=b, text/html"), Class::Page);
        assert_eq!(Class::of(200, None), Some(Class::Page));
        assert_eq!(Class::of(204, Some(b"text/html")), Some(Class::Empty));
        assert_eq!(Class::of(304, Some(b"text/html")), Some(Class::NotModified));
        assert_eq!(Class::of(101, None), None);
    }

    #[test]
    fn indices_are_dense() {
        for (i, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), i);
        }
    }
}
