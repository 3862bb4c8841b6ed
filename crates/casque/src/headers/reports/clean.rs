//! Text of strangers made harmless: what cannot be seen is written out.

/// What stands where text was cut, in a text or at its end.
pub(super) const MARK: &str = "…";

/// At most `cap` bytes of `text`, in which every character that is not plainly visible stands as `\u{..}`.
///
/// Written out are control, format and unassigned characters, private use, line and paragraph separators, every space but the
/// usual one, marks that would change the character before them, and the blank letters of Hangul and Braille. Backslashes of the
/// text itself stay single, so the form cannot be turned back: it is for reading.
pub(super) fn visible(text: &str, cap: usize) -> Box<str> {
    let mut out = String::with_capacity(text.len().min(cap));
    for c in text.chars() {
        let before = out.len();
        match c {
            '\\' | '"' | '\'' => out.push(c),
            '\t' | '\n' | '\r' | '\0' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => out.extend(c.escape_unicode()),
            // The standard library knows which characters are printable by themselves.
            c => out.extend(c.escape_debug()),
        }
        if out.len() > cap {
            out.truncate(before);
            while out.len() + MARK.len() > cap && out.pop().is_some() {}
            if MARK.len() <= cap {
                out.push_str(MARK);
            }
            break;
        }
    }
    out.into_boxed_str()
}

/// The rule in other words: neither controls, nor spaces but the usual one, nor what turns or hides text (Unicode TR36).
#[cfg(test)]
pub(super) fn is_harmless(text: &str) -> bool {
    let hides =
        |c| matches!(u32::from(c), 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f);
    !text.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ') || hides(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        let cases = [
            ("plain \"text\" it's \\n", "plain \"text\" it's \\n"),
            ("Grüße, 世界", "Grüße, 世界"),
            ("a\u{1b}[31mred\u{7}", "a\\u{1b}[31mred\\u{7}"),
            ("line\r\nSet-Cookie: x", "line\\u{d}\\u{a}Set-Cookie: x"),
            ("a\u{202e}gpj.exe", "a\\u{202e}gpj.exe"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("pay\u{200b}pal\u{feff}\u{2066}", "pay\\u{200b}pal\\u{feff}\\u{2066}"),
            ("\u{2028}\u{2029}\u{a0}", "\\u{2028}\\u{2029}\\u{a0}"),
            ("\u{3164}\u{e000}\u{e0041}", "\\u{3164}\\u{e000}\\u{e0041}"),
            ("e\u{301}", "e\\u{301}"),
        ];
        for (hostile, seen) in cases {
            assert_eq!(&*visible(hostile, 100), seen);
        }
    }

    #[test]
    fn a_cut_is_marked_and_splits_nothing() {
        assert_eq!(&*visible("abcdef", 6), "abcdef");
        assert_eq!(&*visible("abcdefg", 6), "abc…");
        assert_eq!(&*visible("世界世界", 9), "世界…");
        assert_eq!(&*visible("\u{202e}\u{202e}", 8), "\\u{20…");
        assert_eq!(&*visible("abc", 2), "");
    }

    proptest! {
        #[test]
        fn nothing_invisible_and_nothing_too_long(text in any::<String>(), cap in 0usize..200) {
            let seen = visible(&text, cap);
            prop_assert!(seen.len() <= cap);
            prop_assert!(is_harmless(&seen), "{:?}", seen);
        }
    }
}
