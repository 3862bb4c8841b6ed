//! `casque limits`: how clients stand with the limits of a running gateway, and how they would have stood with others.

mod args;
mod replay;
mod socket;
mod standing;

pub(crate) use self::args::LimitsArgs;
use self::args::{Format, LimitsCommand, Running};
use crate::exit::Exit;
use crate::policy_file::{DEFAULT_NAME, PolicyFile};
use crate::printer;

pub(crate) fn run(args: &LimitsArgs) -> Result<Exit, String> {
    match &args.command {
        LimitsCommand::Top(args) => {
            let answer = ask(&args.running, "GET", &format!("/limits/top?n={}", args.n), None)?;
            show(&args.running, &answer, standing::top);
        }
        LimitsCommand::Explain(args) => {
            let answer = ask(&args.running, "GET", &format!("/limits/explain?who={}", encoded(&args.who)), None)?;
            show(&args.running, &answer, standing::explain);
        }
        LimitsCommand::Unblock(args) => {
            let what = serde_json::json!({ "who": args.who, "limit": args.limit });
            let answer = ask(&args.running, "POST", "/limits/unblock", Some(what.to_string()))?;
            show(&args.running, &answer, standing::unblocked);
        }
        LimitsCommand::Replay(args) => return replay::run(args),
    }
    Ok(Exit::Clean)
}

fn ask(running: &Running, method: &str, target: &str, body: Option<String>) -> Result<serde_json::Value, String> {
    let path = match &running.socket {
        Some(path) => path.clone(),
        None => PolicyFile::find(running.config.as_deref())?.admin_socket().ok_or_else(|| {
            format!(
                "where is the gateway's socket? Name it with --socket, or write under [admin] in {DEFAULT_NAME}: socket = \"casque.sock\""
            )
        })?,
    };
    socket::ask(&path, method, target, body.unwrap_or_default())
}

fn show(running: &Running, answer: &serde_json::Value, text: impl Fn(&serde_json::Value) -> Vec<String>) {
    match running.format {
        Format::Json => printer::tell(format_args!("{answer:#}")),
        Format::Text => text(answer).iter().for_each(printer::tell),
    }
}

/// A text as a query's value.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |out, b| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out + char::from(b).encode_utf8(&mut [0; 4]),
        other => out + &format!("%{other:02x}"),
    })
}
