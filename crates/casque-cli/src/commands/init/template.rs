//! The policy file that `casque init` writes.

use super::project::{Framework, Project};

/// Every setting that most people will ever want, with its default and its reason.
const TEMPLATE: &str = r#"# The policy of this app's gateway. `casque check` tells what is wrong or weak in it;
# a running gateway reads it again on SIGHUP. Everything here is optional.

[server]
listen = "127.0.0.1:8080"         # "0.0.0.0:8080" faces the world
# max-body-size = "10MiB"         # default: no limit

[upstream]
{upstream}
# response-timeout = "60s"        # from the end of a request to the head of its response

[client-ip]
# Behind a load balancer or a TLS proxy, name it here. Without this the address of the socket counts, and HTTPS-only
# headers and Secure cookies are left out.
# trusted-proxies = ["10.0.0.0/8"]

[headers]
preset = "{preset}"               # balanced, helmet (its 12 defaults, byte for byte), strict, api or off
{headers}
# Other headers for some responses; `casque check --explain /path` tells what a response gets, and why:
# [[headers.profile]]
# name = "embed"
# paths = ["/embed/*"]
# x-frame-options = false
# content-security-policy = "frame-ancestors https://partner.example"

# Requests that another site makes a visitor's browser send: forged forms, included scripts.
[fetch-metadata]
mode = "report"                   # log only; "enforce" once the log shows none that are right, or `allow` names them

# Where browsers report what the policy blocked, or would have. Shown at http://127.0.0.1:9901/ if you let it:
# [admin]
# listen = "127.0.0.1:9901"

# Limits count per client address (IPv6: /64). Any [[limit]] here replaces the standard ones, which are these two.
[[limit]]
name = "per-client"
rate = "100/1s"
burst = 200

[[limit]]
name = "login"
rate = "20/1m"
methods = ["POST"]
paths = [
  "**/login", "**/login.*", "**/log-in", "**/log-in.*", "**/log_in", "**/log_in.*", "**/signin", "**/signin.*", "**/sign-in",
  "**/sign-in.*", "**/sign_in", "**/sign_in.*", "**/authenticate", "**/authenticate.*", "**/login.php/*", "**/wp-login.php/*",
  "**/auth/local",
]

[cookies]
mode = "enforce"                  # observe: log what would change, and change nothing
same-site = "lax"
domain = "drop"                   # "keep" if subdomains share a session
# script-readable = ["cart"]      # cookies that your scripts read; these get no HttpOnly

[log]
access = "text"                   # text, json or off

# Other rules for a part of the site:
# [[route]]
# path = "/api"
# headers = { preset = "api" }
# max-body-size = "1MiB"
"#;

pub(super) fn render(project: &Project) -> String {
    let upstream = match project.start_command() {
        Some(command) => format!("# url = \"http://127.0.0.1:3000\"   # not needed with `casque guard -- {command}`"),
        None => "url = \"http://127.0.0.1:3000\"".to_owned(),
    };
    let headers = match project.framework {
        Some(Framework::Next) => {
            "# Next.js puts its own nonce on its inline scripts; `'nonce'` stands for it:\n# content-security-policy = \"script-src 'nonce' 'strict-dynamic'; object-src 'none'; base-uri 'none'\""
        }
        _ if project.overlaps.iter().any(|o| o.contains("helmet")) => {
            "# The app uses helmet: what it sets is kept, unless it is weaker than what stands here. Its options can move here, too:\n# helmet = { frameguard = { action = \"deny\" } }, instead of the preset"
        }
        _ => "# content-security-policy = \"default-src 'self'\"",
    };
    TEMPLATE.replace("{upstream}", &upstream).replace("{preset}", "balanced").replace("{headers}", headers)
}

#[cfg(test)]
mod tests {
    use casque::config::Document;
    use casque_gateway::Config;
    use casque_gateway::policy::{Overrides, Policy};

    use super::*;

    #[test]
    fn what_is_written_is_valid_and_says_what_the_defaults_are() {
        let text = render(&Project::default());
        let document = Document::parse(&text);
        let config = Config::read(&document);
        let policy = Policy::compile(&config, &Overrides::default(), &document);
        assert_eq!(document.problems(), []);
        assert!(policy.is_some());
        let standard = casque::limit::Limits::standard();
        let written = config.limits.unwrap();
        for (ours, theirs) in standard.as_slice().iter().zip(&written) {
            assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        }
        assert_eq!(written.len(), standard.as_slice().len());
    }

    #[test]
    fn every_commented_setting_is_valid_too() {
        let text: String = render(&Project::default())
            .lines()
            .map(|l| match l.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") || rest.starts_with('[') => format!("{rest}\n"),
                _ => format!("{l}\n"),
            })
            .collect();
        let document = Document::parse(&text);
        let config = Config::read(&document);
        let _ = Policy::compile(&config, &Overrides::default(), &document);
        assert_eq!(document.problems(), [], "{text}");
    }
}
