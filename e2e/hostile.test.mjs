// What no honest client sends. The app behind counts what reaches it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOST, Raw, freePort, guard, guardedExample, postForm, request, serve, splitHead } from './harness.mjs';

const options = { timeout: 60000 };
const NO_LIMITS = 'limit = []\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: app.example\r\n\r\n';

const post = (fields, body) => `POST /front HTTP/1.1\r\nHost: app.example\r\n${fields}\r\n${body}`;
const get = (fields, target = '/front') => `GET ${target} HTTP/1.1\r\n${fields}\r\n`;
const chunked = (body) => post('Transfer-Encoding: chunked\r\n', body + SMUGGLED);

/** An app that remembers which targets it saw. */
async function witness(t, config) {
  const seen = [];
  const app = await serve(t, (req, res) => {
    seen.push(req.url);
    req.resume();
    req.on('end', () => res.end('reached the app'));
  });
  return { seen, ...(await guard(t, { upstream: app.url, config })) };
}

// ---------------------------------------------------------------- malformed requests

/** Requests that two servers could read differently, by what RFC 9112 says of them. */
const MALFORMED = {
  'both lengths': post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'both lengths, the other way round': post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${SMUGGLED}`),
  'two lengths': post('Content-Length: 5\r\nContent-Length: 0\r\n', `hello${SMUGGLED}`),
  'a list of lengths': post('Content-Length: 5, 0\r\n', `hello${SMUGGLED}`),
  'a length with a sign': post('Content-Length: +5\r\n', `hello${SMUGGLED}`),
  'a length in hexadecimal': post('Content-Length: 0x5\r\n', `hello${SMUGGLED}`),
  'a length beyond 64 bits': post('Content-Length: 18446744073709551621\r\n', `hello${SMUGGLED}`),
  'an empty length': post('Content-Length:\r\n', SMUGGLED),
  'an unknown transfer coding': post('Transfer-Encoding: xchunked\r\n', `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
  'chunked and something else': post('Transfer-Encoding: chunked, identity\r\n', `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
  'a transfer coding in HTTP/1.0': post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
  'a space before the colon': post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a folded field': post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  'a bare LF': 'GET /front HTTP/1.1\nHost: app.example\n\n',
  'a bare CR in a value': get('Host: app.example\r\nX-A: b\rX-C: d\r\n'),
  'a NUL in a value': get('Host: app.example\r\nX-A: b\0c\r\n'),
  'no Host': get('X-A: b\r\n'),
  'two Hosts': get('Host: app.example\r\nHost: evil.example\r\n'),
  'a Host that is a list': get('Host: app.example, evil.example\r\n'),
  'a target with a space': get('Host: app.example\r\n', '/a b'),
  'a target with a control byte': get('Host: app.example\r\n', '/a\x01b'),
  'a Connection field that names Content-Length': post('Content-Length: 5\r\nConnection: Content-Length\r\n', 'hello'),
  CONNECT: `CONNECT app.example:80 HTTP/1.1\r\nHost: app.example:80\r\n\r\n${SMUGGLED}`,
  'the beginning of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
};

test('malformed heads are refused with an answer, and nothing of them reaches the app', options, async (t) => {
  const { port, seen } = await witness(t, NO_LIMITS);
  for (const [name, bytes] of Object.entries(MALFORMED)) {
    await t.test(name, async (t) => {
      const raw = await Raw.connect(t, port);
      raw.write(bytes);
      const text = await raw.untilEnd();
      const { status, headers } = splitHead(text);
      assert.ok([400, 405, 505].includes(status), `status ${status}: ${text.slice(0, 200)}`);
      assert.equal(headers.connection, 'close');
      // One answer: what stood behind the malformed head was not read.
      assert.equal(text.match(/HTTP\/1\.1 \d/g).length, 1);
      assert.deepEqual(seen, []);
    });
  }
});

const BROKEN_CHUNKS = {
  'a size that is no number': '5g\r\nhello\r\n0\r\n\r\n',
  'a size beyond 64 bits': '10000000000000005\r\nhello\r\n0\r\n\r\n',
  'a bare LF after the size': '5\nhello\r\n0\r\n\r\n',
  'data longer than its size': '5\r\nhelloX0\r\n\r\n',
  'a bare LF in an extension': '5;a\nb\r\nhello\r\n0\r\n\r\n',
  'extensions without end': `5;${'a'.repeat(100_000)}\r\nhello\r\n0\r\n\r\n`,
  'a trailer that frames the message': '5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n',
  'trailers without end': `0\r\n${`X-A: ${'b'.repeat(1000)}\r\n`.repeat(100)}\r\n`,
};

test('malformed chunks are refused, and what follows them is not taken for a request', options, async (t) => {
  const { port, seen } = await witness(t, NO_LIMITS);
  for (const [name, body] of Object.entries(BROKEN_CHUNKS)) {
    await t.test(name, async (t) => {
      const raw = await Raw.connect(t, port);
      raw.write(chunked(body));
      assert.equal(splitHead(await raw.untilEnd()).status, 400);
      assert.ok(!seen.includes('/smuggled'));
    });
  }
});

test('what is too large is refused by name: 414 for the target, 431 for the fields', options, async (t) => {
  const { port, seen } = await witness(t, NO_LIMITS);
  for (const [status, bytes] of [
    [414, get('Host: app.example\r\n', `/${'a'.repeat(9000)}`)],
    [431, get(`Host: app.example\r\nX-A: ${'b'.repeat(40_000)}\r\n`)],
    [431, get(`Host: app.example\r\n${'X-A: b\r\n'.repeat(101)}`)],
  ]) {
    const raw = await Raw.connect(t, port);
    raw.write(bytes);
    assert.equal(splitHead(await raw.untilEnd()).status, status);
  }
  assert.deepEqual(seen, []);
});

test('refusals and error pages repeat nothing of the request', options, async (t) => {
  const { port } = await guard(t, { upstream: `http://${HOST}:${await freePort()}` });
  for (const bytes of [
    get('Host: app.example\r\nAccept: text/html\r\nConnection: close\r\n', '/find-me?find-me'),
    get('Host: find-me<script>\r\nAccept: text/html\r\n'),
  ]) {
    const raw = await Raw.connect(t, port);
    raw.write(bytes);
    const text = await raw.untilEnd();
    assert.match(text, /^HTTP\/1\.1 (400|502) /);
    assert.doesNotMatch(text, /find-me/);
  }
});

// ---------------------------------------------------------------- dodging the limits

test('another forged address in every request does not dodge the login limit', options, async (t) => {
  const { url } = await guardedExample(t);
  const statuses = [];
  for (let guess = 0; guess < 40; guess += 1) {
    const forged = { 'X-Forwarded-For': `203.0.113.${guess}`, Forwarded: `for=203.0.113.${guess}` };
    const answer = await postForm(`${url}/login`, { user: 'demo', password: 'x' }, forged);
    statuses.push(answer.status);
  }
  const reached = statuses.filter((status) => status === 401).length;
  assert.ok(reached <= 25, `${reached} reached the app`);
});

test('other spellings of /login share its budget', options, async (t) => {
  const { port } = await guardedExample(t);
  const spellings = ['/login', '/LOGIN', '/login/', '/login?a=b', 'http://shop.example/login'];
  const body = 'user=demo&password=x';
  let reached = 0;
  for (let round = 0; round < 8; round += 1) {
    for (const target of spellings) {
      const raw = await Raw.connect(t, port);
      raw.write(
        `POST ${target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n` +
          `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const { status } = splitHead(await raw.untilEnd());
      assert.ok([401, 429].includes(status), `${target}: ${status}`);
      if (status === 401) reached += 1;
    }
  }
  assert.ok(reached <= 25, `${reached} of 40 reached the app`);
});

test('dot segments do not lead round a limit: what the app gets below /api counts as below /api', options, async (t) => {
  const rule = '[[limit]]\nname = "api"\nrate = "1/1m"\nburst = 1\npaths = ["/api/*"]\n';
  for (const target of ['/api/a/../../b', '/api/..', '/api/%2e%2e/b', '/api/x/..;/../b']) {
    await t.test(target, async (t) => {
      const { port, seen } = await witness(t, rule);
      for (let round = 0; round < 5; round += 1) {
        const raw = await Raw.connect(t, port);
        raw.write(get('Host: app.example\r\nConnection: close\r\n', target));
        await raw.untilEnd();
      }
      // An app routes by the target as it gets it, and a router that matches
      // prefixes takes all of these for /api. Refusing them is fine as well.
      const below = seen.filter((one) => one.startsWith('/api'));
      assert.ok(below.length <= 1, `${below.length} of 5 reached the app as ${below[0]}`);
    });
  }
});

// ---------------------------------------------------------------- holding on

const IMPATIENT = 'limit = []\n[server]\nheader-timeout = "1s"\nidle-timeout = "1s"\nbody-idle-timeout = "1s"\n';

/** Sends some bytes, then one more piece each 200 ms; returns the text and the seconds until the end. */
async function drip(t, port, first, piece) {
  const raw = await Raw.connect(t, port);
  const began = Date.now();
  raw.write(first);
  const timer = setInterval(() => piece && raw.write(piece), 200);
  try {
    const text = await raw.untilEnd(8000);
    return { text, seconds: (Date.now() - began) / 1000 };
  } finally {
    clearInterval(timer);
  }
}

test('a head that never ends is cut off, whatever drips in', options, async (t) => {
  const { port, seen } = await witness(t, IMPATIENT);
  const { text } = await drip(t, port, 'GET / HTTP/1.1\r\nHost: app.example\r\n', 'X-A: b\r\n');
  assert.equal(splitHead(text).status, 408);
  assert.deepEqual(seen, []);
});

test('a body that stops is cut off', options, async (t) => {
  const { port } = await witness(t, IMPATIENT);
  const { text } = await drip(t, port, post('Content-Length: 1000\r\n', 'a little'), null);
  assert.equal(splitHead(text).status, 408);
});

test('a connection that sends nothing is closed after the idle timeout', options, async (t) => {
  const { port } = await witness(t, IMPATIENT);
  const { text, seconds } = await drip(t, port, '', null);
  assert.equal(text, '');
  assert.ok(seconds < 4, `${seconds} s`);
});

test('a connection that is idle after an answer is closed after the idle timeout, too', options, async (t) => {
  const { port } = await witness(t, IMPATIENT);
  // Several, because the end of the answer races with the next read.
  const idle = Array.from({ length: 10 }, () => drip(t, port, get('Host: app.example\r\n'), null));
  for (const { text, seconds } of await Promise.all(idle)) {
    assert.equal(splitHead(text).status, 200);
    assert.ok(seconds < 4, `${seconds} s`);
  }
});

test('one client cannot take all connections', options, async (t) => {
  const config = 'limit = []\n[server]\nmax-connections = 40\nmax-connections-per-client = 10\n[client-ip]\ntrusted-proxies = []\n';
  const { port, url } = await witness(t, config);
  const greedy = [];
  for (let number = 0; number < 30; number += 1) greedy.push(await Raw.connect(t, port));
  // Those beyond its share are closed by the gateway.
  await Promise.all(greedy.slice(12).map((raw) => raw.untilEnd(5000)));
  for (const raw of greedy) raw.socket.destroy();
  assert.equal((await request(`${url}/`)).status, 200);
});
