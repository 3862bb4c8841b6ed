//! Remedies, written once for every server.

use crate::exchange::Exchange;
use crate::report::Fix;

/// Sends a header with this answer. Where the app sends one of its own already, casque is told to replace it: by default it would
/// respect it.
pub(super) fn send(page: &Exchange, name: &str, value: &str) -> Fix {
    let shown = super::site::shown(name);
    let own = page.values(name).next().is_some();
    let setting = if own { format!("{{ value = {}, mode = \"override\" }}", toml(value)) } else { toml(value) };
    Fix {
        casque: format!("[headers]\n{name} = {setting}"),
        express: format!("app.use((req, res, next) => {{ res.set({}, {}); next(); }});", js(&shown), js(value)),
        nginx: format!("add_header {shown} {} always;", nginx(value)),
        caddy: format!("header {shown} {}", caddy(value)),
    }
}

/// Sends a header that helmet has an option for.
pub(super) fn send_with_helmet(page: &Exchange, name: &str, value: &str, helmet: &str) -> Fix {
    Fix { express: format!("app.use(helmet({{ {helmet} }}));"), ..send(page, name, value) }
}

/// Takes a header out.
pub(super) fn remove(name: &str) -> Fix {
    let shown = super::site::shown(name);
    let lower = name.to_ascii_lowercase();
    let express = match lower.as_str() {
        "x-powered-by" => "app.disable('x-powered-by');".to_owned(),
        _ => format!("app.use((req, res, next) => {{ res.removeHeader({}); next(); }});", js(&shown)),
    };
    let nginx = match lower.as_str() {
        "server" => "server_tokens off;".to_owned(),
        _ => format!("proxy_hide_header {shown};"),
    };
    Fix { casque: format!("[headers]\nremove = [{}]", toml(&lower)), express, nginx, caddy: format!("header -{shown}") }
}

/// Flags on every cookie.
pub(super) fn cookie_flags() -> Fix {
    Fix {
        casque: "[cookies]\nmode = \"enforce\"    # adds Secure, HttpOnly and SameSite=Lax to the app's cookies".to_owned(),
        express: "res.cookie(name, value, { secure: true, httpOnly: true, sameSite: 'lax' });\n// express-session: session({ cookie: { secure: true, httpOnly: true, sameSite: 'lax' }, ... })".to_owned(),
        nginx: "proxy_cookie_flags ~ secure httponly samesite=lax;".to_owned(),
        caddy: "header >Set-Cookie (.*) \"$1; Secure; HttpOnly; SameSite=Lax\"    # only where the app sets none of them".to_owned(),
    }
}

/// http to https.
pub(super) fn redirect_to_https() -> Fix {
    Fix {
        casque: String::new(),
        express: "app.set('trust proxy', 1);\napp.use((req, res, next) => req.secure ? next() : res.redirect(301, `https://${process.env.PUBLIC_HOST}${req.originalUrl}`));".to_owned(),
        nginx: "server { listen 80; server_name example.com; return 301 https://example.com$request_uri; }".to_owned(),
        caddy: "example.com    # a site named without http:// is served over https, and http redirected".to_owned(),
    }
}

/// A remedy in the app alone.
pub(super) fn in_the_app(express: &str) -> Fix {
    Fix { express: express.to_owned(), ..Fix::default() }
}

/// A string of TOML. Values here are our own, or plain: no line breaks, no control bytes.
pub(super) fn toml(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn js(value: &str) -> String {
    if value.contains('\'') { format!("\"{}\"", value.replace('"', "\\\"")) } else { format!("'{value}'") }
}

fn nginx(value: &str) -> String {
    format!("\"{}\"", value.replace('"', "\\\""))
}

fn caddy(value: &str) -> String {
    if value.contains('"') { format!("`{value}`") } else { format!("\"{value}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_each_server() {
        let page = Exchange { headers: vec![("X-Frame-Options".to_owned(), "ALLOWALL".to_owned())], ..Exchange::default() };
        assert_eq!(send(&page, "x-frame-options", "DENY").casque, "[headers]\nx-frame-options = { value = \"DENY\", mode = \"override\" }");
        let fix = send(&page, "permissions-policy", "camera=(self \"https://a.example\")");
        assert_eq!(fix.casque, "[headers]\npermissions-policy = \"camera=(self \\\"https://a.example\\\")\"");
        assert_eq!(fix.nginx, "add_header Permissions-Policy \"camera=(self \\\"https://a.example\\\")\" always;");
        assert_eq!(fix.caddy, "header Permissions-Policy `camera=(self \"https://a.example\")`");
        assert_eq!(remove("X-Powered-By").express, "app.disable('x-powered-by');");
        assert_eq!(remove("Server").nginx, "server_tokens off;");
        assert!(send(&page, "content-security-policy", "default-src 'self'").express.contains("\"default-src 'self'\""));
    }
}
