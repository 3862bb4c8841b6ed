//! Request smuggling: recorded attacks are sent through the gateway, and a strict parser judges the bytes that reach the app.
//!
//! The attacks and the judge lie in the folder that `CASQUE_VECTORS` names (default: `shared` beside the checkout). Without it
//! this suite says what it left out and passes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the judge plays both client and app")]
mod support;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

macro_rules! say {
    ($($arg:tt)*) => {
        _ = writeln!(std::io::stdout(), $($arg)*)
    };
}

/// Cases whose verdict is neither `pass` nor a fault, each with its reason.
const KNOWN: [(&str, &str, &str); 1] = [(
    "lim-trailers-1m",
    "aborted",
    "a megabyte of trailers is cut at 8 KiB: by then the body is with the app, which sees the connection end and no request complete",
)];

#[test]
fn no_ambiguous_request_reaches_the_app() {
    let root =
        std::env::var_os("CASQUE_VECTORS").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let lint = root.join("smuggle/lint.py");
    if !lint.is_file() {
        say!("left out: smuggle/lint.py is not there (set CASQUE_VECTORS to the folder that holds smuggle/)");
        return;
    }
    if Command::new("python3").arg("--version").output().is_err() {
        say!("left out: the smuggling cases need python3, which is not installed");
        return;
    }
    // The judge plays the app on a port that it is told; nobody else has it between here and there.
    let origin = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = support::gateway("[log]\naccess = \"off\"\n", &format!("http://{origin}"));
    let out = std::env::temp_dir().join(format!("casque-smuggle-{}.json", std::process::id()));
    let status = Command::new("python3")
        .arg(&lint)
        .args(["casque", &gateway.address.port().to_string(), &origin.port().to_string()])
        .arg(&out)
        .output()
        .expect("python3 was there a moment ago");
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let _ = std::fs::remove_file(&out);

    let results = report["results"].as_array().unwrap();
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for result in results {
        let (id, verdict) = (result["id"].as_str().unwrap(), result["verdict"].as_str().unwrap());
        *verdicts.entry(verdict.to_owned()).or_default() += 1;
        if verdict == "pass" {
            continue;
        }
        match KNOWN.iter().find(|(known, what, _)| *known == id && *what == verdict) {
            Some((_, _, reason)) => say!("  {id} is {verdict}: {reason}"),
            None => {
                wrong.push(format!("{verdict} {id}: status {}, violations {}, flags {}", result["status"], result["viol"], result["flags"]))
            }
        }
    }
    say!("smuggling: {} of {} ({verdicts:?})", verdicts.get("pass").unwrap_or(&0), results.len());
    assert!(!results.is_empty(), "no case was run");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
