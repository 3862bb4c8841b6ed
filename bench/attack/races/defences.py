"""What is attacked: an Express app, and what stands in it or in front of it. Each is started as its documentation shows."""

import os
import shutil
import subprocess
import time

from harness.process import DRIVER_CORE, SUBJECT_CORE, HOST, Process, StartError, free_port
from harness.subjects import find, first_line, package_version, worker_user, write

ENOUGH_CONNECTIONS = 16_384
SECRET = "0123456789abcdef" * 4


class Defence:
    """A log-in form behind something. `inside` is what the app itself does."""

    inside = "none"
    is_gateway = False

    def __init__(self, name):
        self.name = name

    def missing(self):
        return None

    def version(self):
        return ""

    def command(self, port, app_port, directory):
        """The gateway's arguments and environment."""
        raise NotImplementedError

    def beside(self, port, directory):
        """The arguments of what works beside the gateway, and the file that is there once it does."""
        return None


class InApp(Defence):
    def __init__(self, name, inside, needs=None):
        super().__init__(name)
        self.inside = inside
        self.needs = needs

    def missing(self):
        return f"{self.needs} is not installed" if self.needs and not find(self.needs) else None


class Casque(Defence):
    is_gateway = True

    def __init__(self, name, program, extra=""):
        super().__init__(name)
        self.program = program
        self.extra = extra

    def missing(self):
        return None if os.access(self.program, os.X_OK) else "its binary is not built: cargo build --release"

    def version(self):
        return first_line([self.program, "--version"])

    def command(self, port, app_port, directory):
        # Its limits of requests are off, else they would be what holds.
        config = f"""
limit = []
[server]
listen = "{HOST}:{port}"
max-connections = {ENOUGH_CONNECTIONS}
max-connections-per-client = {ENOUGH_CONNECTIONS}
[upstream]
url = "http://{HOST}:{app_port}"
[client-ip]
trusted-proxies = ["{HOST}"]
[log]
access = "off"
{self.extra}"""
        path = write(directory, f"casque-{port}.toml", config)
        return [self.program, "guard", "--config", path], {"CASQUE_SECRET": SECRET}


class Nginx(Defence):
    is_gateway = True

    def missing(self):
        return None if find("nginx") else "nginx is not installed"

    def version(self):
        return first_line([find("nginx"), "-v"])

    def http(self, directory):
        """What all servers have, and how log-ins are limited."""
        return """
  access_log off;
  limit_req_zone $binary_remote_addr zone=login:10m rate=10r/m;
""", """
      limit_req zone=login burst=5 nodelay;
      limit_req_status 429;
"""

    def command(self, port, app_port, directory):
        general, limit = self.http(directory)
        places = "\n".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = f"""
daemon off;
{worker_user()}
worker_processes 1;
pid {directory}/nginx-{port}.pid;
events {{ worker_connections {ENOUGH_CONNECTIONS // 4}; }}
http {{{general}
  {places}
  set_real_ip_from {HOST};
  real_ip_header X-Forwarded-For;
  server {{
    listen {HOST}:{port} backlog=4096;
    location / {{ proxy_pass http://{HOST}:{app_port}; proxy_set_header X-Forwarded-For $remote_addr; }}
    location = /login {{{limit}
      proxy_pass http://{HOST}:{app_port};
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""
        path = write(directory, f"nginx-{port}.conf", config)
        return [find("nginx"), "-p", directory, "-c", path, "-e", os.path.join(directory, "nginx.err")], {}


class Fail2ban(Nginx):
    """nginx that writes down who failed, and fail2ban with its defaults, five failures in ten minutes, that has it refuse them."""

    def missing(self):
        return super().missing() or (None if find("fail2ban-server") else "fail2ban is not installed")

    def version(self):
        return first_line([find("fail2ban-server"), "--version"])

    def http(self, directory):
        open(os.path.join(directory, "banned"), "a").close()
        return f"""
  log_format failures '$remote_addr $time_iso8601 $request_method $uri $status';
  access_log {directory}/access failures;
  geo $banned {{ default 0; include {directory}/banned; }}
""", """
      if ($banned) { return 403; }
"""

    def beside(self, port, directory):
        for folder in ("fail2ban", "fail2ban/filter.d", "fail2ban/action.d"):
            os.mkdir(os.path.join(directory, folder))
        at = os.path.join(directory, "fail2ban")
        files = {"socket": f"{at}/socket", "pidfile": f"{at}/pid", "logtarget": f"{at}/log", "dbfile": "None", "loglevel": "INFO"}
        settings = "".join(f"{name} = {value}\n" for name, value in {**files, "syslogsocket": "auto", "dbmaxmatches": 10}.items())
        reload = f"{find('nginx')} -p {directory} -c {directory}/nginx-{port}.conf -e {directory}/nginx.err -s reload"
        write(at, "fail2ban.conf", f"[DEFAULT]\n{settings}dbpurgeage = 1d\n[Definition]\n{settings}")
        write(at, "filter.d/login.conf", "[Definition]\nfailregex = ^<ADDR> \\S* POST /login 401$\ndatepattern = %%Y-%%m-%%dT%%H:%%M:%%S\n")
        write(at, "action.d/nginx.conf", f"[Definition]\nactionban = echo '<ip> 1;' >> {directory}/banned && {reload}\n")
        write(at, "jail.conf", f"""[login]
enabled = true
backend = auto
usedns = no
maxretry = 5
findtime = 10m
bantime = 10m
ignoreself = false
filter = login
logpath = {directory}/access
action = nginx
""")
        return [find("fail2ban-server"), "-c", at, "-s", f"{at}/socket", "-p", f"{at}/pid", "-f", "start"], f"{at}/socket"


class Haproxy(Defence):
    is_gateway = True

    def missing(self):
        return None if find("haproxy") else "HAProxy is not installed"

    def version(self):
        return first_line([find("haproxy"), "-v"])

    def command(self, port, app_port, directory):
        config = f"""
global
    nbthread 1
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend clients
    bind {HOST}:{port} backlog 4096
    stick-table type ip size 100k expire 1h store http_err_rate(1h)
    http-request track-sc0 hdr_ip(x-forwarded-for,-1) if {{ path /login }}
    http-request deny deny_status 429 if {{ path /login }} {{ sc_http_err_rate(0) gt 10 }}
    default_backend app
backend app
    server app {HOST}:{app_port}
"""
        return [find("haproxy"), "-db", "-f", write(directory, f"haproxy-{port}.cfg", config)], {}


class Stand:
    """A defence with its app, and where they listen, while a race lasts."""

    def __init__(self, defence, app, directory):
        self.defence = defence
        self.processes = []
        self.counts_port, app_port = free_port(), free_port()
        log = os.path.join(directory, "log")
        try:
            environment = {"PORT": str(app_port), "COUNTS_PORT": str(self.counts_port), "DEFENCE": defence.inside}
            if defence.inside == "rlf-redis":
                redis_port = free_port()
                argv = [find("redis-server"), "--port", str(redis_port), "--bind", HOST, "--save", "", "--dir", directory]
                self.start(argv, {}, redis_port, DRIVER_CORE, log)
                environment["REDIS_PORT"] = str(redis_port)
            node = [find("node"), os.path.join(app, "app.js")]
            self.start(node, environment, app_port, SUBJECT_CORE if not defence.is_gateway else DRIVER_CORE, log)
            self.port = app_port
            if defence.is_gateway:
                self.port = free_port()
                argv, environment = defence.command(self.port, app_port, directory)
                self.start(argv, environment, self.port, SUBJECT_CORE, log)
                self.start_beside(defence.beside(self.port, directory), log)
        except BaseException:
            self.__exit__()
            raise

    def start(self, argv, environment, port, core, log):
        process = Process(argv, core, log, env={"NODE_ENV": "production", **environment})
        self.processes.append(process)
        process.wait_for_port(port, 30)

    def start_beside(self, helper, log):
        if helper:
            argv, sign = helper
            # The gateway stays the last, whose memory is told.
            self.processes.insert(0, Process(argv, DRIVER_CORE, log, env={}))
            end = time.monotonic() + 30
            while not os.path.exists(sign):
                if time.monotonic() > end:
                    raise StartError(f"{argv[0]} did not start; its output is in {log}")
                time.sleep(0.1)

    def memory_kb(self):
        """Of what holds the defence's state; where that is Redis, of it and the app."""
        mine = self.processes if self.defence.inside == "rlf-redis" else self.processes[-1:]
        return sum(process.memory_kb()["Rss"] for process in mine)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop()


def install(source, directory):
    """The tree stays as it was: packages are installed into the run's own directory."""
    app = os.path.join(directory, "app")
    os.mkdir(app)
    for name in ("package.json", "package-lock.json", "app.js"):
        shutil.copy(os.path.join(source, name), app)
    argv = [find("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(argv, cwd=app, check=True, capture_output=True, text=True, timeout=300)
    return app


def versions(app):
    packages = ("express", "rate-limiter-flexible", "express-rate-limit")
    return ", ".join([f"node {first_line([find('node'), '--version'])}", *(f"{name} {package_version(app, name)}" for name in packages)])


def every(casque):
    """All of them; `casque` is the binary."""
    lifted = '[[login]]\nname = "login"\npaths = ["**/login"]\nat-once = 10000\nat-once-per-account = 10000\n'
    return [
        InApp("no defence", "none"),
        Nginx("nginx limit_req"),
        Haproxy("HAProxy http_err_rate"),
        Fail2ban("nginx and fail2ban"),
        InApp("express-rate-limit", "express-rate-limit"),
        InApp("rate-limiter-flexible, recipe", "rlf"),
        InApp("rate-limiter-flexible, recipe, Redis", "rlf-redis", needs="redis-server"),
        InApp("rate-limiter-flexible, charged first", "rlf-first"),
        Casque("casque guard", casque),
        Casque("casque guard, any number at once", casque, lifted),
    ]
