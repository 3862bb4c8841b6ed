"""The policies every subject is configured with, and the check that it does what the policy says."""

import re
import socket

from harness.process import HOST

POLICIES = ("p0", "p1", "p2", "p3")

DESCRIPTIONS = {
    "p0": "plain proxy, X-Forwarded-For and X-Forwarded-Proto",
    "p1": "p0 + helmet 8's 12 default headers, X-Powered-By removed",
    "p2": "p1 + a limit for each client address that is never reached",
    "p3": "p2 + Secure, HttpOnly and SameSite=Lax on the response's one cookie",
}

HELMET_HEADERS = {
    "Content-Security-Policy": "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';"
    "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';"
    "style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Download-Options": "noopen",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-XSS-Protection": "0",
}

ADDED_ATTRIBUTES = ("secure", "httponly", "samesite=lax")
OWN_ATTRIBUTES = {"path", "expires"}

# Requests a second for one client address: one that no run reaches, and one that the check must run into.
LIMIT_NEVER_REACHED = 1_000_000
LIMIT_TO_RUN_INTO = 1


def level(policy):
    return POLICIES.index(policy)


def has_headers(policy):
    return level(policy) >= 1


def has_limit(policy):
    return level(policy) >= 2


def has_cookie(policy):
    return level(policy) >= 3


def path_of(policy):
    return "/cookie" if has_cookie(policy) else "/api/items"


class Response:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        lines = self.head.split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]

    def values(self, name):
        return [value for key, value in self.headers if key == name.lower()]


def fetch(port, path, extra_headers=()):
    lines = [f"GET {path} HTTP/1.1", "Host: app.test", "Connection: close", *extra_headers, "", ""]
    with socket.create_connection((HOST, port), 5) as connection:
        connection.settimeout(5)
        connection.sendall("\r\n".join(lines).encode())
        raw = b""
        while not is_whole(raw):
            piece = connection.recv(65536)
            if not piece:
                break
            raw += piece
    if not raw:
        raise ConnectionError(f"no response to GET {path}")
    return Response(raw)


def is_whole(raw):
    """The static upstream keeps the connection open, so the end is where Content-Length says."""
    head, end, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return bool(end and length) and len(body) >= int(length.group(1))


def header_problems(response, policy):
    """In what a response differs from its policy."""
    problems = [] if response.status == 200 else [f"status {response.status}"]
    if not response.values("Content-Length"):
        problems.append("no Content-Length, which the load generator needs")
    for name, value in HELMET_HEADERS.items():
        wanted = [value] if has_headers(policy) else []
        if response.values(name) != wanted:
            problems.append(f"{name}: {response.values(name)} instead of {wanted}")
    if has_headers(policy) and response.values("X-Powered-By"):
        problems.append("X-Powered-By is still there")
    return problems + (cookie_problems(response) if has_cookie(policy) else [])


def cookie_problems(response):
    """The cookie must have what the policy adds, and what it had: a subject that rewrites more does other work."""
    cookies = response.values("Set-Cookie")
    if not cookies:
        return ["no Set-Cookie"]
    problems = []
    for cookie in cookies:
        attributes = {attribute.strip().lower() for attribute in cookie.split(";")[1:]}
        problems += [f"cookie without {wanted}" for wanted in ADDED_ATTRIBUTES if wanted not in attributes]
        own = {attribute.partition("=")[0] for attribute in attributes.difference(ADDED_ATTRIBUTES)}
        if own != OWN_ATTRIBUTES:
            problems.append(f"the cookie's own attributes became {sorted(own)}")
    return problems


def forwarding_problems(port):
    """Whether the app behind a proxy is told who asks; /echo answers with the head it saw."""
    seen = fetch(port, "/echo").body.decode("latin-1").lower()
    problems = []
    if f"\r\nx-forwarded-for: {HOST}\r\n" not in seen:
        problems.append("the app gets no X-Forwarded-For")
    if not re.search(r"\r\nx-forwarded-proto: https?\r\n", seen):
        problems.append("the app gets no X-Forwarded-Proto")
    return problems


def limit_problems(port, path, extra_headers):
    """For a subject started with LIMIT_TO_RUN_INTO: whether its limit is there at all."""
    statuses = [fetch(port, path, extra_headers).status for _ in range(10)]
    return [] if 429 in statuses else [f"no 429 with a limit of {LIMIT_TO_RUN_INTO} a second: {statuses}"]
