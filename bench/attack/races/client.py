"""The one client that drives every defence: raw HTTP/1.1, so that nothing is tidied up on the way."""

import asyncio
import collections
import json
import urllib.request

from harness.process import HOST

TIMEOUT_SECONDS = 60
VICTIM = "victim@example.org"
OWN = ("own@example.org", "mine")


def address(n):
    """The `n`th client, each in a network of its own."""
    return f"{20 + n // 65_536 % 200}.{n // 256 % 256}.{n % 256}.9"


def form(name, password):
    return "application/x-www-form-urlencoded", f"username={name}&password={password}"


class Request:
    """An attempt as it goes over the wire. `client` is who a trusted proxy says it is."""

    def __init__(self, client, name=VICTIM, password="wrong", path="/login", body=None, keep=False):
        kind, text = body or form(name, password)
        body = text.encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: {client}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        self.bytes = head.encode() + body


async def read_answer(reader):
    """The status; 0 if the connection ended without one."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if "content-length" in fields:
        await reader.readexactly(int(fields["content-length"]))
    elif "chunked" in fields.get("transfer-encoding", ""):
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    return int(lines[0].split()[1])


async def exchange(reader, writer, request):
    try:
        writer.write(request.bytes)
        return await asyncio.wait_for(read_answer(reader), TIMEOUT_SECONDS)
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
        return 0
    finally:
        writer.close()


async def together(port, requests):
    """All at one moment: every connection is open before the first byte is sent."""
    streams = []
    for _ in requests:
        streams.append(await asyncio.open_connection(HOST, port))
    return await asyncio.gather(*(exchange(*stream, request) for stream, request in zip(streams, requests)))


async def in_turn(port, requests):
    statuses = []
    for request in requests:
        statuses.append(await exchange(*await asyncio.open_connection(HOST, port), request))
    return statuses


async def flood(port, requests, connections):
    """As fast as they are answered, over kept connections; a connection that is closed is opened again. How often which status
    came."""
    statuses = collections.Counter()

    async def worker(source):
        reader = writer = None
        for request in source:
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection(HOST, port)
                writer.write(request.bytes)
                statuses[await read_answer(reader)] += 1
            except (OSError, asyncio.IncompleteReadError):
                writer = None
        if writer:
            writer.close()

    # One iterator for all: whoever is free takes the next.
    source = iter(requests)
    await asyncio.gather(*(worker(source) for _ in range(connections)))
    return statuses


def counted(port, path="/"):
    """What the app checked since it was asked last, by account."""
    with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=TIMEOUT_SECONDS) as response:
        return json.load(response)
