"""The attacks A6 to A10, each on a defence that has just been started. All return what the app counted, not what it said."""

import asyncio
import json
import random
import time

from races.client import OWN, VICTIM, Request, address, counted, flood, form, in_turn, together

# Enough for every defence here to have refused, were the tries to come one after the other.
SERIAL = 40
FLOOD_CONNECTIONS = 32
AWAY_MS = 1_000
FLAPS = 4


def victims(stand):
    return counted(stand.counts_port).get(VICTIM, 0)


def serial_limit(stand):
    """How many passwords of one client at one account are looked at when he waits for each answer."""
    asyncio.run(in_turn(stand.port, [Request(address(1)) for _ in range(SERIAL)]))
    return victims(stand)


def parallel_race(stand, tries, is_scattered):
    """A6: so many attempts at one account at one moment, of one client or each of another."""
    asyncio.run(together(stand.port, [Request(address(n if is_scattered else 1)) for n in range(tries)]))
    return victims(stand)


def key_flood(stand, keys):
    """A7: an account at its limit, a flood of clients and names, and the account again. Memory for each key, and what the
    account's attacker got after the flood."""
    asyncio.run(in_turn(stand.port, [Request(address(1)) for _ in range(SERIAL)]))
    before = stand.memory_kb()
    mark = random.Random(7)
    attempts = (Request(address(n + 2), f"flood{mark.randrange(1 << 60)}@example.org", keep=True) for n in range(keys))
    start = time.monotonic()
    asyncio.run(flood(stand.port, attempts, FLOOD_CONNECTIONS))
    seconds, after = time.monotonic() - start, stand.memory_kb()
    reached = sum(n for account, n in counted(stand.counts_port).items() if account.startswith("flood"))
    asyncio.run(in_turn(stand.port, [Request(address(1)) for _ in range(5)]))
    return {"before": before, "after": after, "seconds": seconds, "reached": reached, "forgotten": victims(stand)}


def spellings():
    """A8: ways to be somebody else, or to try somebody else, for who looks at requests and not at what they mean."""
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in "victim") + "@example.org"
    twice = ("application/x-www-form-urlencoded", f"username=nobody&username={VICTIM}&password=wrong")
    as_json = ("application/json", json.dumps({"username": VICTIM, "password": "wrong"}))
    escaped = ("application/json", as_json[1].replace("victim", "\\u0076ictim").replace("username", "usern\\u0061me"))
    percent = ("application/x-www-form-urlencoded", "%75sername=%76ictim%40example.org&password=wrong")
    return {
        "another address": Spelling(),
        "a forged X-Forwarded-For in front": Spelling(in_front=True),
        "case of the name": Spelling(name="Victim@Example.ORG"),
        "blanks round the name": Spelling(name="++victim@example.org+"),
        "Unicode spelling": Spelling(name=wide),
        "JSON for a form": Spelling(body=as_json),
        "JSON escapes": Spelling(body=escaped),
        "percent-encoding": Spelling(body=percent),
        "the field twice": Spelling(body=twice),
        "/Login": Spelling(path="/Login"),
        "/login/": Spelling(path="/login/"),
        "//login": Spelling(path="//login"),
        "/%6Cogin": Spelling(path="/%6Cogin"),
        "/login?x": Spelling(path="/login?x"),
    }


class Spelling:
    """An attempt that is written otherwise; `in_front`: with a client made up in front of the one that the proxy saw."""

    def __init__(self, in_front=False, **written):
        self.in_front = in_front
        self.written = written

    def of(self, client):
        return Request(f"{address(5_000)}, {client}" if self.in_front else client, **self.written)


def key_evasion(stand):
    """A8: the spellings by which a password was looked at when the account's tries were used up. They come from the client who
    used them up; where another address gains nothing, from other addresses too, so that the account's count alone is left."""
    asyncio.run(in_turn(stand.port, [Request(address(1)) for _ in range(SERIAL)]))
    counted(stand.counts_port)
    through, clients = [], [address(1)]
    for place, (name, spelling) in enumerate(spellings().items()):
        fresh = [address(1_000 + 10 * place + n) for n in range(3)]
        asyncio.run(in_turn(stand.port, [spelling.of(client) for client in (fresh if place == 0 else clients * 3)]))
        if sum(counted(stand.counts_port).values()):
            through.append(name)
        elif place == 0:
            clients = fresh + clients
    return through


def outage(stand):
    """A9: one client at one account, in parallel and for seconds, while the app goes away and comes back."""

    async def guess_on():
        end = time.monotonic() + 2 * FLAPS * AWAY_MS / 1000
        while time.monotonic() < end:
            await together(stand.port, [Request(address(1)) for _ in range(4)])
            await asyncio.sleep(0.02)

    async def flap():
        checked = 0
        for _ in range(FLAPS):
            checked += (await asyncio.to_thread(counted, stand.counts_port, f"/away?ms={AWAY_MS}")).get(VICTIM, 0)
            await asyncio.sleep(2 * AWAY_MS / 1000)
        return checked

    async def both():
        return (await asyncio.gather(flap(), guess_on()))[0]

    return asyncio.run(both()) + victims(stand)


def counter_washing(stand):
    """A10: before every fourth try the attacker logs in to an account of his own."""
    tries = [Request(address(1), *OWN) if n % 4 == 0 else Request(address(1), body=form(VICTIM, "wrong")) for n in range(2 * SERIAL)]
    asyncio.run(in_turn(stand.port, tries))
    return victims(stand)
