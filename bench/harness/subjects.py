"""What is measured: how each subject is configured for a policy and started."""

import grp
import os
import pwd
import re
import resource
import shutil
import subprocess

from harness.policy import HELMET_HEADERS, has_cookie, has_headers, has_limit, level, path_of
from harness.process import HOST

# More connections than any run opens; the peers' own defaults are far lower.
MOST_CONNECTIONS = 16_384
IDLE_SECONDS = 300
UPSTREAM_IDLE_SECONDS = 60
POOLED_CONNECTIONS = 1024


class Command:
    def __init__(self, argv, env=None):
        self.argv = argv
        self.env = env or {}


class Subject:
    """A program that answers on `port` with a policy. `upstream` is the port of the app behind a proxy."""

    is_proxy = True
    # Whether its machine code is fixed, so that instructions can be counted; a JIT's is not.
    is_countable = True
    warm_up_seconds = 0.7

    def missing(self):
        """Why it cannot be measured here, or None."""
        return None

    def version(self):
        return ""

    def prepare(self, directory):
        """Done once, before the first start."""

    def command(self, policy, port, upstream, directory, limit):
        raise NotImplementedError

    def path(self, policy):
        return path_of(policy)

    def load_headers(self, policy):
        return []


class Casque(Subject):
    name = "casque"

    def __init__(self, program):
        self.program = program

    def missing(self):
        return None if os.access(self.program, os.X_OK) else "its binary is not built: cargo build --release"

    def version(self):
        return first_line([self.program, "--version"])

    def command(self, policy, port, upstream, directory, limit):
        config = write(directory, f"casque-{policy}-{port}.toml", casque_config(policy, port, upstream, limit))
        return Command([self.program, "guard", "--config", config])


def casque_config(policy, port, upstream, limit):
    limits = f'[[limit]]\nname = "bench"\nrate = "{limit}/1s"\nburst = {limit}\n' if has_limit(policy) else ""
    return f"""
{"" if limits else "limit = []"}

[server]
listen = "{HOST}:{port}"
threads = 1
max-connections = {MOST_CONNECTIONS}
max-connections-per-client = {MOST_CONNECTIONS}
idle-timeout = "{IDLE_SECONDS}s"

[upstream]
url = "http://{HOST}:{upstream}"
idle-timeout = "{UPSTREAM_IDLE_SECONDS}s"
max-idle = {POOLED_CONNECTIONS}

[client-ip]
scheme = "{"https" if has_headers(policy) else "http"}"

[headers]
preset = "{"helmet" if has_headers(policy) else "off"}"

[cookies]
mode = "{"enforce" if has_cookie(policy) else "off"}"

[log]
access = "off"

{limits}"""


class Nginx(Subject):
    name = "nginx"

    def missing(self):
        return None if find("nginx") else "not installed"

    def version(self):
        return first_line([find("nginx"), "-v"])

    def command(self, policy, port, upstream, directory, limit):
        config = write(directory, f"nginx-{policy}-{port}.conf", nginx_config(policy, port, upstream, directory, limit))
        return Command([find("nginx"), "-p", directory, "-c", config, "-e", os.path.join(directory, "nginx.err")])


def nginx_config(policy, port, upstream, directory, limit):
    temporary = "\n  ".join(
        f"{kind}_temp_path {directory}/nginx-{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    policy_lines = []
    if has_headers(policy):
        policy_lines.append("proxy_hide_header X-Powered-By;")
        policy_lines += [f'add_header {name} "{value}" always;' for name, value in HELMET_HEADERS.items()]
    if has_limit(policy):
        burst = f" burst={limit} nodelay" if limit > 1 else ""
        policy_lines += [f"limit_req zone=clients{burst};", "limit_req_status 429;"]
    if has_cookie(policy):
        policy_lines.append("proxy_cookie_flags ~ secure httponly samesite=lax;")
    rules = "\n      ".join(policy_lines)
    return f"""
daemon off;
{worker_user()}
worker_processes 1;
pid {directory}/nginx-{port}.pid;
worker_rlimit_nofile {open_file_limit()};
events {{ worker_connections {MOST_CONNECTIONS}; }}
http {{
  access_log off;
  server_tokens off;
  keepalive_timeout {IDLE_SECONDS}s;
  keepalive_requests 100000000;
  {temporary}
  {f"limit_req_zone $binary_remote_addr zone=clients:10m rate={limit}r/s;" if has_limit(policy) else ""}
  upstream app {{
    server {HOST}:{upstream};
    keepalive {POOLED_CONNECTIONS};
    keepalive_requests 100000000;
    keepalive_timeout {UPSTREAM_IDLE_SECONDS}s;
  }}
  server {{
    listen {HOST}:{port} backlog=4096;
    location / {{
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto {"https" if has_headers(policy) else "http"};
      {rules}
    }}
  }}
}}
"""


def worker_user():
    """A worker of root's nginx would change to a user that may not write into the run's directory."""
    if os.getuid() != 0:
        return ""
    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name};"


class Haproxy(Subject):
    name = "haproxy"

    def missing(self):
        return None if find("haproxy") else "not installed"

    def version(self):
        return first_line([find("haproxy"), "-v"])

    def command(self, policy, port, upstream, directory, limit):
        config = write(directory, f"haproxy-{policy}-{port}.cfg", haproxy_config(policy, port, upstream, limit))
        return Command([find("haproxy"), "-db", "-f", config])


def haproxy_config(policy, port, upstream, limit):
    rules = [f"http-request set-header X-Forwarded-Proto {'https' if has_headers(policy) else 'http'}"]
    if has_limit(policy):
        rules += [
            "stick-table type ip size 1m expire 10m store http_req_rate(1s)",
            "http-request track-sc0 src",
            f"http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {limit} }}",
        ]
    if has_headers(policy):
        rules.append("http-response del-header X-Powered-By")
        rules += [f'http-response set-header {name} "{value}"' for name, value in HELMET_HEADERS.items()]
    if has_cookie(policy):
        rules.append(r'http-response replace-header Set-Cookie (.*) "\1; Secure; HttpOnly; SameSite=Lax"')
    # Each client's connection may need one to the app, and a few descriptors are HAProxy's own.
    connections = min(MOST_CONNECTIONS, (open_file_limit() - 200) // 2)
    frontend_rules = "\n    ".join(rules)
    return f"""
global
    nbthread 1
    maxconn {connections}
defaults
    mode http
    timeout connect 5s
    timeout client {IDLE_SECONDS}s
    timeout server {UPSTREAM_IDLE_SECONDS}s
    timeout http-keep-alive {IDLE_SECONDS}s
    timeout http-request 10s
    http-reuse always
    option forwardfor
frontend clients
    bind {HOST}:{port} backlog 4096
    {frontend_rules}
    default_backend app
backend app
    server app {HOST}:{upstream} pool-max-conn {POOLED_CONNECTIONS}
"""


class Express(Subject):
    name = "express"
    is_proxy = False
    is_countable = False
    # Until the JIT has compiled what is hot.
    warm_up_seconds = 3.0

    def __init__(self, source):
        self.source = source
        self.app = None

    def missing(self):
        for program in ("node", "npm"):
            if not find(program):
                return f"{program} is not installed"
        return None

    def version(self):
        packages = ("express", "helmet", "rate-limiter-flexible", "cookie-session")
        found = [f"{name} {package_version(self.app, name)}" for name in packages]
        return f"node {first_line([find('node'), '--version'])}, {', '.join(found)}"

    def prepare(self, directory):
        """The tree stays as it was: packages are installed into the run's own directory."""
        self.app = os.path.join(directory, "express")
        os.mkdir(self.app)
        for name in ("package.json", "package-lock.json", "app.js"):
            shutil.copy(os.path.join(self.source, name), self.app)
        install = [find("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(install, cwd=self.app, check=True, capture_output=True, text=True, timeout=300)

    def command(self, policy, port, upstream, directory, limit):
        env = {"NODE_ENV": "production", "PORT": str(port), "POLICY": str(level(policy)), "LIMIT": str(limit)}
        return Command([find("node"), os.path.join(self.app, "app.js")], env)

    def load_headers(self, policy):
        # cookie-session refuses to set a Secure cookie on a request that is not said to be HTTPS.
        return ["X-Forwarded-Proto: https"] if has_cookie(policy) else []


class InApp(Subject):
    """The axum app with its policy in the process: not a proxy, and each of its variants has one policy."""

    is_proxy = False
    VARIANTS = ("bare", "crates", "stacked", "casque", "served")

    def __init__(self, program, variant):
        self.program = program
        self.variant = variant
        self.name = f"axum {variant}"
        self.policy = "p0" if variant == "bare" else "p2"

    def path(self, policy):
        return "/api/items"

    def command(self, policy, port, upstream, directory, limit):
        return Command([self.program, self.variant, f"{HOST}:{port}", "--limit", str(limit)])


def find(program):
    # Servers are often installed where only root's PATH looks.
    return shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")


def first_line(argv):
    output = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    return (output.stdout + output.stderr).strip().split("\n")[0]


def package_version(directory, name):
    with open(os.path.join(directory, "node_modules", name, "package.json")) as file:
        return re.search(r'"version":\s*"([^"]+)"', file.read()).group(1)


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def open_file_limit():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
