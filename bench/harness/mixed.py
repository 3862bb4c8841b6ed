"""Traffic of all kinds, for training: an app that answers as apps do, and clients that ask it for everything.

What `bench/run` measures is one request, a million times. A build that was trained on that alone would be fast at that alone.
"""

import asyncio

from harness.process import HOST, SUBJECT_CORE, free_port
from harness.subjects import write

JSON = b'{"items":[' + b",".join(b'{"id":%d,"name":"item"}' % i for i in range(40)) + b"]}"
PAGE = b"<!doctype html><title>Shop</title><script nonce=x></script>" + b"<p>Lorem ipsum dolor sit amet.</p>" * 200
BROWSER = (
    b"Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\nCookie: sid=s%3AkQ8y1hM2r0; theme=dark\r\nSec-Fetch-Dest: document\r\n"
    b"Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nPriority: u=0, i\r\n"
)

# What the app answers by path: status line, headers, body; None is a body of pieces.
ANSWERS = {
    b"/": (b"200 OK", b"Content-Type: text/html; charset=utf-8\r\nVary: Accept-Encoding\r\nCache-Control: no-cache\r\n", PAGE),
    b"/own": (
        b"200 OK",
        b"Content-Type: text/html\r\nContent-Security-Policy: default-src 'self'\r\nX-Frame-Options: DENY\r\n"
        b"Strict-Transport-Security: max-age=60\r\nReferrer-Policy: unsafe-url\r\nServer: Apache\r\n",
        PAGE,
    ),
    b"/login": (
        b"303 See Other",
        b"Location: /\r\nSet-Cookie: sid=abc; Path=/\r\nSet-Cookie: theme=dark; Max-Age=99999999\r\n"
        b"Set-Cookie: csrf=1; Domain=shop.example; SameSite=None\r\n",
        b"",
    ),
    b"/app.js": (b"200 OK", b"Content-Type: text/javascript\r\nCache-Control: public, max-age=31536000\r\nETag: \"1\"\r\n", PAGE * 3),
    b"/logo.svg": (b"200 OK", b"Content-Type: image/svg+xml\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n", PAGE),
    b"/api/items": (b"200 OK", b"Content-Type: application/json\r\nX-Powered-By: Express\r\n", JSON),
    b"/api/none": (b"204 No Content", b"", b""),
    b"/stream": (b"200 OK", b"Content-Type: text/event-stream\r\n", None),
    b"/same": (b"304 Not Modified", b"ETag: \"1\"\r\n", b""),
    b"/broken": (b"500 Internal Server Error", b"Content-Type: text/plain\r\n", b"oops"),
}
NOT_FOUND = (b"404 Not Found", b"Content-Type: text/html\r\n", b"<p>not here")


def requests():
    """One round of requests, as bytes."""
    for path in (b"/", b"/own", b"/app.js", b"/logo.svg?v=2", b"/api/items?page=2", b"/stream", b"/broken", b"/no%20such/page/"):
        yield request(b"GET", path)
    yield request(b"GET", b"/api/items", b"Authorization: Bearer x\r\nOrigin: https://shop.example\r\n")
    yield request(b"HEAD", b"/app.js")
    yield request(b"GET", b"/same", b'If-None-Match: "1"\r\n')
    yield request(b"OPTIONS", b"/api/items", b"Access-Control-Request-Method: PUT\r\nOrigin: https://other.example\r\n")
    yield request(b"DELETE", b"/api/none")
    for size in (30, 3_000, 70_000):
        yield request(b"POST", b"/api/items", b"Content-Type: application/json\r\n", b"x" * size)
    yield request(b"POST", b"/login", b"Content-Type: application/x-www-form-urlencoded\r\n", b"user=a&password=b")
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (JSON, b"x" * 5_000, JSON)) + b"0\r\n\r\n"
    yield request(b"PUT", b"/api/items", b"Transfer-Encoding: chunked\r\n") + pieces
    yield request(b"GET", b"/", b"X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\nX-Forwarded-Proto: https\r\nX_Real_IP: 1.2.3.4\r\n")


# Each on a connection of its own, because the answer ends it.
LAST_REQUESTS = (
    b"GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n",
    b"GET /api/items HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
    b"GET /x/../y HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : shop.example\r\n\r\n",
    b"\x16\x03\x01\x00\xa5",
)


def request(method, path, headers=b"", body=b""):
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return b"%s %s HTTP/1.1\r\n%s%s%s\r\n%s" % (method, path, BROWSER, headers, length, body)


def config(port, upstream):
    """Everything that casque does, at once; the log as it is by default."""
    return f"""
[server]
listen = "{HOST}:{port}"
threads = 1
min-body-rate = "100B"

[upstream]
url = "http://{HOST}:{upstream}"

[client-ip]
trusted-proxies = ["{HOST}"]

[headers]
preset = "balanced"
content-security-policy = "default-src 'self'; script-src 'nonce' 'strict-dynamic'; base-uri 'none'"

[[limit]]
name = "per-client"
rate = "5000/1s"

[[limit]]
name = "login"
rate = "20/1m"
methods = ["POST"]
paths = ["**/login", "**/login.*"]

[[route]]
path = "/api"
headers = {{ preset = "api" }}
"""


async def answer(reader, writer):
    """One connection to the app."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target = head.split(b" ", 2)[:2]
            await skip_body(reader, head.lower())
            status, headers, body = ANSWERS.get(target.partition(b"?")[0], NOT_FOUND)
            writer.write(b"HTTP/1.1 " + status + b"\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\n" + headers)
            if body is None:
                writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
                for _ in range(5):
                    writer.write(b"9\r\ndata: x\n\n\r\n")
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
            elif status[:3] in (b"204", b"304"):
                writer.write(b"\r\n")
            else:
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + (b"" if method == b"HEAD" else body))
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        pass
    finally:
        writer.close()


async def skip_body(reader, head):
    """Reads a message's body, framed as its head, in lower case, says."""
    if b"\r\ntransfer-encoding:" in head:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    elif b"\r\ncontent-length:" in head:
        await reader.readexactly(int(head.split(b"\r\ncontent-length:")[1].split(b"\r\n")[0]))


async def visit(port, rounds):
    """Rounds of requests on one connection, each round ended by a request on another. The answers' statuses."""
    statuses = []
    reader, writer = await asyncio.open_connection(HOST, port)
    for number in range(rounds):
        for sent in requests():
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.append(head[9:12])
            if not sent.startswith(b"HEAD") and head[9:12] not in (b"204", b"304"):
                await skip_body(reader, head.lower())
            if b"\r\nconnection: close\r\n" in head.lower():
                writer.close()
                reader, writer = await asyncio.open_connection(HOST, port)
        last_reader, last_writer = await asyncio.open_connection(HOST, port)
        last_writer.write(LAST_REQUESTS[number % len(LAST_REQUESTS)])
        statuses.append((await last_reader.read())[9:12])
        last_writer.close()
    writer.close()
    return statuses


async def converse(port, upstream, visitors, rounds):
    app = await asyncio.start_server(answer, HOST, upstream)
    async with app:
        return sum(await asyncio.gather(*(visit(port, rounds) for _ in range(visitors))), [])


def run(bench, program, visitors, rounds, timeout):
    """Starts casque in front of the app and lets visitors ask it. How often each status came."""
    port, upstream = free_port(), free_port()
    path = write(bench.directory, "mixed.toml", config(port, upstream))
    with bench.process([program, "guard", "--config", path], SUBJECT_CORE, "mixed") as process:
        process.wait_for_port(port)
        statuses = asyncio.run(asyncio.wait_for(converse(port, upstream, visitors, rounds), timeout))
    return {status.decode(): statuses.count(status) for status in sorted(set(statuses))}
