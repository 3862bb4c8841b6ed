//! The profile `strict`: the Observatory's scale with its mistakes mended, and much more looked at.
//!
//! One file per subject. Every subject reads the [`Capture`] and writes findings into a book; the book adds up.
//!
//! # Scoring
//! A site starts with 100 points. Every finding that fails takes its points away, but a subject takes no more than its most. If at
//! least 90 are left, what is well done adds its bonus. The grade is the Observatory's: A+ from 100, A 90, A- 85, B+ 80, B 70, B- 65,
//! C+ 60, C 50, C- 45, D+ 40, D 30, D- 25, F below.
//!
//! | test | most | what takes points | bonus |
//! |---|---:|---|---:|
//! | `content-security-policy` | -25 | no policy -25, only reporting -25, nothing that browsers know -25; scripts: not limited -20, inline -20, from anywhere -20, from `data:` or `blob:` -20, inline handlers -10, from a host known for bypasses -10, `eval` -10, over http -10; plug-ins -5, `<base>` -5; words that browsers do not read as meant -5, a sandbox that can be left -5, `'strict-dynamic'` without a nonce or hash -5, a short nonce -10, reports or files over http -5 | +10 nothing but what is listed, +5 no unsafe script |
//! | `cookies` | -40 | session readable by scripts -30, session over http -40 (-10 behind HSTS), any over http -20 (-5), SameSite misspelt -20, CSRF token without SameSite -10, `SameSite=None` without Secure -10, broken prefix -10, session without SameSite -5, session for all subdomains -5 | +5 |
//! | `certificate` | -20 | not valid -20 | |
//! | `strict-transport-security` | -20 | none -20, not valid -20, switched off -20, no https -20, below six months -10, not on redirects -5, `preload` without what it needs -5 | +5 preloaded |
//! | `redirection` | -20 | http stays http -20, falls back to http on the way -20, first redirect to http -10, to another host first -5 | |
//! | `framing` | -20 | anybody may frame -20, a form that browsers ignore -20 | +5 |
//! | `cross-origin-resource-sharing` | -50 | any origin, `null` or a lookalike may read with cookies -50, the site over http may -20, headers that browsers refuse -5, no `Vary: Origin` -5 | |
//! | `page-content` | -50 | scripts or styles over http -50 (without integrity) or -20, forms to http -20, from other sites without integrity -5 | +5 |
//! | `x-content-type-options` | -5 | none or not valid -5, no Content-Type -5 | |
//! | `referrer-policy` | -5 | whole addresses to other sites -5, not valid -5 | +5 |
//! | `cross-origin-opener-policy`, `cross-origin-embedder-policy`, `cross-origin-resource-policy` | -5 each | not valid -5 | +10 each |
//! | `permissions-policy` | -5 | not valid -5, camera, microphone or place for everybody -5 | |
//! | `caching` | -20 | a shared cache may keep an answer that sets a cookie -20, or a page that was asked for with a cookie or Authorization -10 | |
//! | `information` | -10 | the software or its version -5, debugging headers -5, stack traces -10 | |
//! | `contradictions` | -10 | a header that contradicts itself -10, or another -5, sent twice -2 | |
//! | `other-responses` | -10 | error pages, files and a recording's other answers without the page's defences -5 each | |
//! | `security-txt` | 0 | nothing: a note | |
//!
//! # What is not graded
//! A page that answers with an error ([`ScanError`]); what an app sends while it fails is not what its visitors get.
//!
//! # What is not judged
//! On hosts that only this machine or network reaches ([`is_private_host`](crate::is_private_host)) nobody needs a certificate: https,
//! HSTS, redirects and `Secure` are left out, and the report says so. A recording or a single response is judged by what it has, not
//! by what nobody asked for. What the capture could not look at stands in [`Report::not_judged`].
//!
//! **Attacks and answers.** A site under scan writes every header that is judged. Nothing here can loop or recurse on it, every
//! list is looked at once, of each rule ten findings are kept and the rest counted, and no evidence has the value of a cookie in it: reports end up in build logs.

mod book;
mod caching;
mod contradictions;
mod cookies;
mod cors;
mod csp;
mod csp_lint;
mod csp_scripts;
mod fixes;
mod framing;
mod hsts;
mod information;
mod isolation;
mod other_responses;
mod page_content;
mod permissions;
mod redirection;
mod referrer;
mod security_txt;
mod site;
mod sniffing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::book::Book;
use self::site::Site;
use crate::capture::Capture;
use crate::report::Report;
use crate::scan_error::ScanError;

/// What grading needs besides the capture.
#[derive(Debug, Clone, Default)]
pub struct Context<'p> {
    /// The time since the Unix epoch, to tell whether security.txt has expired; `None` leaves that out.
    pub now: Option<Duration>,
    /// Who is on Chromium's HSTS preload list; `None` leaves that out.
    pub preload: Option<&'p crate::mdn::Preload>,
}

/// Grades a capture.
///
/// # Errors
/// When there is no page, or it answered with an error: what an app sends while it fails says nothing about what its visitors get.
/// An answer from 400 to 499 that was handed over as a recording or a response is graded all the same, and the report says so.
pub fn grade(capture: &Capture, context: &Context<'_>) -> Result<Report, ScanError> {
    let mut book = Book::new(&capture.notes);
    let site = Site::of(capture).ok_or(ScanError::NoAnswer)?;
    let status = site.page.status;
    if !site.page.is_page() {
        if site.is_complete() || status >= 500 {
            return Err(ScanError::Status(status));
        }
        book.leave_out(format!("a page: the address answers with status {status}, and that answer was graded"));
    }
    for subject in SUBJECTS {
        subject(&site, context, &mut book);
    }
    Ok(book.close(site.target()))
}

/// Every subject, in the order of the report among findings of the same weight.
const SUBJECTS: [fn(&Site<'_>, &Context<'_>, &mut Book); 16] = [
    hsts::judge,
    redirection::judge,
    csp::judge,
    cookies::judge,
    cors::judge,
    framing::judge,
    page_content::judge,
    caching::judge,
    sniffing::judge,
    referrer::judge,
    isolation::judge,
    permissions::judge,
    contradictions::judge,
    other_responses::judge,
    information::judge,
    security_txt::judge,
];
