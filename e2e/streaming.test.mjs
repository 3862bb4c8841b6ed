// What must pass through a gateway as it is: order, timing, framing, ends.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import {
  HOST,
  Raw,
  casque,
  deferred,
  freePort,
  guard,
  poll,
  request,
  rss,
  serve,
  splitHead,
  tempDir,
  watchRss,
  within,
} from './harness.mjs';

const options = { timeout: 30000 };
const MiB = 1024 * 1024;
const withoutProc = existsSync('/proc/self/status') ? false : 'needs /proc to read the memory of casque';

/** A node server as the app, and casque in front of it. */
async function guarded(t, handler, config) {
  const app = await serve(t, handler);
  const gate = await guard(t, { upstream: app.url, config });
  return { app, ...gate };
}

const get = (path, extra = '') => `GET ${path} HTTP/1.1\r\nHost: app.example\r\n${extra}\r\n`;

// ---------------------------------------------------------------- answers as they come

test('server-sent events arrive when they are sent, not later', options, async (t) => {
  const streams = [];
  const opened = deferred();
  const { port } = await guarded(t, (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    res.flushHeaders();
    streams.push(res);
    opened.resolve();
  });
  const raw = await Raw.connect(t, port);
  raw.write(get('/events', 'Accept: text/event-stream\r\n'));
  // The head comes before there is any event.
  await raw.until('text/event-stream');
  await within(5000, 'the app to get the request', opened.promise);
  // The next event is sent only when the one before has come in, so a gateway
  // that holds anything back makes this stop, whatever its speed.
  for (let number = 1; number <= 5; number += 1) {
    const sent = Date.now();
    streams[0].write(`id: ${number}\ndata: sent ${sent}\n\n`);
    await raw.until(`data: sent ${sent}\n\n`);
    const took = Date.now() - sent;
    assert.ok(took < 500, `event ${number} took ${took} ms`);
  }
  streams[0].end();
  await raw.until('\r\n0\r\n\r\n');
});

test('a body without any length is passed on as it comes, and ends where it ends', options, async (t) => {
  const app = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst');
      setTimeout(() => socket.end('second'), 200);
    });
  });
  await new Promise((resolve) => app.listen(0, HOST, resolve));
  t.after(() => app.close());
  const { url } = await guard(t, { upstream: `http://${HOST}:${app.address().port}` });
  assert.equal((await request(`${url}/`)).text, 'firstsecond');
});

// ---------------------------------------------------------------- answers without a body

test('HEAD gives the headers of GET and no body, and the connection stays usable', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    res.setHeader('Content-Length', 5);
    res.end('hello');
  });
  const raw = await Raw.connect(t, port);
  raw.write('HEAD / HTTP/1.1\r\nHost: app.example\r\n\r\n');
  const head = splitHead(await raw.until('\r\n\r\n'));
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], '5');
  // What follows on the same connection is the next answer, not a stray body.
  raw.write(get('/', 'Connection: close\r\n'));
  const both = await raw.untilEnd();
  const second = splitHead(both.slice(both.indexOf('\r\n\r\n') + 4));
  assert.equal(second.line, 'HTTP/1.1 200 OK');
  assert.equal(second.rest, 'hello');
});

test('204 and 304 have no body and no made-up length', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    if (req.url === '/none') res.writeHead(204).end();
    else res.writeHead(304, { ETag: '"v1"', 'Cache-Control': 'max-age=60' }).end();
  });
  const raw = await Raw.connect(t, port);
  raw.write(get('/none'));
  const none = splitHead(await raw.until('\r\n\r\n'));
  assert.equal(none.status, 204);
  // RFC 9110, 8.6: a 204 must not have a Content-Length.
  assert.equal(none.headers['content-length'], undefined);
  assert.equal(none.headers['transfer-encoding'], undefined);
  raw.write(get('/same', 'If-None-Match: "v1"\r\nConnection: close\r\n'));
  const all = await raw.untilEnd();
  const same = splitHead(all.slice(all.indexOf('\r\n\r\n') + 4));
  assert.equal(same.status, 304);
  assert.equal(same.headers.etag, '"v1"');
  assert.equal(same.headers['cache-control'], 'max-age=60');
  assert.notEqual(same.headers['content-length'], '0');
  assert.equal(same.rest, '');
});

test('206 keeps its range, its length and its bytes', options, async (t) => {
  const whole = Buffer.from('0123456789');
  const { url } = await guarded(t, (req, res) => {
    const [, from, to] = req.headers.range.match(/^bytes=(\d+)-(\d+)$/);
    const part = whole.subarray(Number(from), Number(to) + 1);
    res.writeHead(206, { 'Content-Range': `bytes ${from}-${to}/10`, 'Content-Length': part.length });
    res.end(part);
  });
  const answer = await request(`${url}/`, { headers: { Range: 'bytes=2-5' } });
  assert.equal(answer.status, 206);
  assert.equal(answer.headers['content-range'], 'bytes 2-5/10');
  assert.equal(answer.headers['content-length'], '4');
  assert.equal(answer.text, '2345');
});

// ---------------------------------------------------------------- trailers

test('trailers of a chunked answer arrive after the body', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    res.writeHead(200, { Trailer: 'X-Checksum' });
    res.write('hello');
    res.addTrailers({ 'X-Checksum': 'abc123' });
    res.end();
  });
  const raw = await Raw.connect(t, port);
  raw.write(get('/', 'TE: trailers\r\nConnection: close, TE\r\n'));
  const { headers, rest } = splitHead(await raw.untilEnd());
  assert.match(headers['transfer-encoding'], /chunked/);
  assert.match(headers.trailer, /x-checksum/i);
  assert.match(rest, /\r\n0\r\nx-checksum: abc123\r\n\r\n$/i);
});

test('trailers of a chunked request reach the app', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    let body = '';
    req.on('data', (chunk) => (body += chunk));
    req.on('end', () => res.end(`${body} ${req.trailers['x-checksum']}`));
  });
  const raw = await Raw.connect(t, port);
  raw.write(
    'POST / HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n' +
      'Connection: close\r\n\r\n5\r\nhello\r\n0\r\nX-Checksum: abc123\r\n\r\n',
  );
  const { status, rest } = splitHead(await raw.untilEnd());
  assert.equal(status, 200);
  assert.match(rest, /hello abc123/);
});

// ---------------------------------------------------------------- interim answers

const EXPECTING =
  'POST /upload HTTP/1.1\r\nHost: app.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';

test('Expect: 100-continue: the 100 comes when the app says so, then the body goes to it', options, async (t) => {
  const asked = deferred();
  const server = http.createServer();
  server.on('checkContinue', (req, res) => {
    asked.resolve(() => {
      res.writeContinue();
      let body = '';
      req.on('data', (chunk) => (body += chunk));
      req.on('end', () => res.end(`got ${body}`));
    });
  });
  const { port } = await guarded(t, server);
  const raw = await Raw.connect(t, port);
  raw.write(EXPECTING);
  const accept = await within(5000, 'the app to be asked', asked.promise);
  // The app has not answered yet: a 100 now would be the gateway's own.
  assert.equal(raw.text, '');
  accept();
  assert.match(await raw.until('\r\n\r\n'), /^HTTP\/1\.1 100 /);
  raw.write('hello');
  const text = await raw.until(/got hello/);
  assert.equal(text.match(/HTTP\/1\.1 100 /g).length, 1);
  assert.match(text, /\r\n\r\nHTTP\/1\.1 200 /);
});

test('Expect: 100-continue: an app that refuses with 417 is heard before the body is sent', options, async (t) => {
  const server = http.createServer();
  let bodyBytes = 0;
  server.on('checkContinue', (req, res) => {
    req.on('data', (chunk) => (bodyBytes += chunk.length));
    res.writeHead(417, { 'Content-Length': 2, Connection: 'close' });
    res.end('no');
  });
  const { port } = await guarded(t, server);
  const raw = await Raw.connect(t, port);
  raw.write(EXPECTING);
  const text = await raw.until(/\r\n\r\nno$/);
  assert.match(text, /^HTTP\/1\.1 417 /);
  assert.equal(bodyBytes, 0);
});

test('Expect: 100-continue: a client that does not wait is served all the same', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    let body = '';
    req.on('data', (chunk) => (body += chunk));
    req.on('end', () => res.end(`got ${body}`));
  });
  const raw = await Raw.connect(t, port);
  raw.write(`${EXPECTING}hello`);
  await raw.until(/HTTP\/1\.1 200 [^]*got hello/);
});

test('103 early hints reach the client before the app has its answer', options, async (t) => {
  const hinted = deferred();
  const { port } = await guarded(t, (req, res) => {
    res.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    hinted.resolve(res);
  });
  const raw = await Raw.connect(t, port);
  raw.write(get('/', 'Connection: close\r\n'));
  const res = await within(5000, 'the app to get the request', hinted.promise);
  const early = splitHead(await raw.until('\r\n\r\n'));
  assert.equal(early.status, 103);
  assert.equal(early.headers.link, '</style.css>; rel=preload; as=style');
  res.end('done');
  const all = await raw.untilEnd();
  const final = splitHead(all.slice(all.indexOf('\r\n\r\n') + 4));
  assert.equal(final.status, 200);
  assert.match(final.rest, /done/);
});

/** Uploads without end, as fast as it goes, and returns the status that comes nevertheless. */
async function earlyStatus(t, port) {
  const raw = await Raw.connect(t, port);
  raw.write(`POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${1024 * MiB}\r\n\r\n`);
  const block = Buffer.alloc(64 * 1024);
  const push = () => {
    while (!raw.socket.destroyed && raw.socket.write(block));
  };
  raw.socket.on('drain', push);
  push();
  const { status } = splitHead(await raw.until(/\r\n\r\n./));
  raw.socket.destroy();
  return status;
}

test('an app that answers before the upload is over is heard', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    req.resume();
    res.writeHead(413, { 'Content-Length': 7 }).end('too big');
  });
  for (let round = 0; round < 5; round += 1) assert.equal(await earlyStatus(t, port), 413);
});

test('an app that answers before the upload is over, and closes, is heard too', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    req.resume();
    res.writeHead(413, { 'Content-Length': 7, Connection: 'close' }).end('too big');
  });
  // More than once: the app's answer and its close race with the upload.
  for (let round = 0; round < 30; round += 1) assert.equal(await earlyStatus(t, port), 413);
});

// ---------------------------------------------------------------- ends

// A client that is gone and one that has only finished sending look alike as
// long as nothing is written to them. This is how long the doubt lasts.
const SHORT_DOUBT = '[server]\nhalf-close-timeout = "2s"\n';

test('a client that leaves while the app still works on the answer: the app hears it', options, async (t) => {
  const began = deferred();
  const left = deferred();
  const { port } = await guarded(
    t,
    (req, res) => {
      res.once('close', left.resolve);
      began.resolve();
    },
    SHORT_DOUBT,
  );
  const raw = await Raw.connect(t, port);
  raw.write(get('/slow'));
  await within(5000, 'the app to get the request', began.promise);
  raw.socket.destroy();
  await within(5000, 'the app to see the end', left.promise);
});

test('a client that leaves in the middle of the answer: the app hears it', options, async (t) => {
  const left = deferred();
  const { port } = await guarded(
    t,
    (req, res) => {
      res.once('close', left.resolve);
      res.write('a beginning');
    },
    SHORT_DOUBT,
  );
  const raw = await Raw.connect(t, port);
  raw.write(get('/stream'));
  await raw.until('a beginning');
  raw.socket.destroy();
  await within(5000, 'the app to see the end', left.promise);
});

const HALF_UPLOADS = {
  'with a length': 'Content-Length: 1000\r\n\r\nhalf',
  chunked: 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
};

for (const [name, half] of Object.entries(HALF_UPLOADS)) {
  test(`a client that leaves in the middle of its upload (${name}): the app never sees a complete request`, options, async (t) => {
    const began = deferred();
    const closed = deferred();
    const { port } = await guarded(t, (req) => {
      req.once('data', began.resolve);
      req.once('error', () => {});
      req.once('close', () => closed.resolve(req.complete));
    });
    const raw = await Raw.connect(t, port);
    raw.write(`POST / HTTP/1.1\r\nHost: app.example\r\n${half}`);
    await within(5000, 'the app to get a part', began.promise);
    raw.socket.destroy();
    assert.equal(await within(5000, 'the app to see the end', closed.promise), false);
  });
}

test('an app that is killed in the middle of its answer: the client sees a broken answer', options, async (t) => {
  const app = `
    const server = require('http').createServer((req, res) => {
      if (req.method === 'HEAD') return res.end();
      if (req.url === '/length') res.writeHead(200, { 'Content-Length': 1000 });
      res.write('a beginning');
      res.write(String(process.pid));
    });
    server.listen(process.env.PORT, '127.0.0.1');`;
  for (const framing of ['/length', '/chunked']) {
    const { port, proc } = await guard(t, { command: [process.execPath, '-e', app] });
    const [child] = proc.below();
    const raw = await Raw.connect(t, port);
    raw.write(get(framing));
    await raw.until(String(child.pid));
    process.kill(child.pid, 'SIGKILL');
    const { headers, rest } = splitHead(await raw.untilEnd());
    if (framing === '/length') assert.ok(rest.length < Number(headers['content-length']));
    else assert.doesNotMatch(rest, /\r\n0\r\n\r\n$/);
  }
});

test('an app that is gone gives a 502, one that never answers a 504', options, async (t) => {
  const nobody = await guard(t, { upstream: `http://${HOST}:${await freePort()}` });
  assert.equal((await request(`${nobody.url}/`)).status, 502);
  const silent = await guarded(t, () => {}, '[upstream]\nresponse-timeout = "1s"\n');
  assert.equal((await request(`${silent.url}/`)).status, 504);
});

test('a client that closes its half after the request still gets the answer', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    let body = '';
    req.on('data', (chunk) => (body += chunk));
    // Later, so that the half-close is there before the answer is.
    req.on('end', () => setTimeout(() => res.end(`late answer to ${req.method} ${body}`), 700));
  });
  for (const [method, body] of [['GET', ''], ['POST', 'hello']]) {
    const raw = await Raw.connect(t, port, { allowHalfOpen: true });
    raw.end(`${method} / HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const { status, rest } = splitHead(await raw.untilEnd());
    assert.equal(status, 200);
    assert.match(rest, new RegExp(`late answer to ${method} ${body}`));
  }
});

test('requests that are sent without waiting are answered in their order', options, async (t) => {
  const { port } = await guarded(t, (req, res) => {
    setTimeout(() => res.end(`<${req.url}>`), req.url === '/1' ? 300 : 0);
  });
  const raw = await Raw.connect(t, port);
  raw.write(get('/1') + get('/2') + get('/3', 'Connection: close\r\n'));
  const text = await raw.untilEnd();
  assert.deepEqual(text.match(/<\/\d>/g), ['</1>', '</2>', '</3>']);
});

test('SIGTERM lets an answer that has begun come to its end, then casque exits with 0', options, async (t) => {
  const open = deferred();
  const { port, proc } = await guarded(t, (req, res) => {
    res.write('a beginning, ');
    open.resolve(res);
  });
  const raw = await Raw.connect(t, port);
  raw.write(get('/'));
  await raw.until('a beginning');
  proc.kill('SIGTERM');
  // It no longer takes new connections: that is how we know it is draining.
  await poll(5000, 'casque to refuse new connections', () => refused(port));
  const res = await open.promise;
  res.end('and an end');
  assert.match(await raw.untilEnd(), /and an end\r\n0\r\n\r\n$/);
  assert.deepEqual(await proc.exit(), { code: 0, signal: null });
});

function refused(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST);
    socket.once('connect', () => socket.destroy() && resolve(false));
    socket.once('error', (error) => resolve(error.code === 'ECONNREFUSED'));
  });
}

// ---------------------------------------------------------------- big bodies, little memory

const GROWTH = 64 * MiB;

/** A gateway that has answered once, so that its tables are built before its memory is measured. */
async function warmed(t, handler) {
  const gate = await guarded(t, (req, res) => {
    if (req.url === '/warm') res.end();
    else handler(req, res);
  });
  await request(`${gate.url}/warm`);
  return gate;
}

/** Reads a request to its end and answers with the number of bytes. */
function countBytes(req, res) {
  let count = 0;
  req.on('data', (chunk) => (count += chunk.length));
  req.on('end', () => res.end(String(count)));
}

async function upload(url, total, headers) {
  const req = http.request(url, { method: 'POST', headers, agent: false });
  const answered = once(req, 'response');
  const block = Buffer.alloc(MiB, 'casque');
  for (let sent = 0; sent < total; sent += block.length) {
    if (!req.write(block)) await Promise.race([once(req, 'drain'), answered]);
  }
  req.end();
  const [res] = await answered;
  let text = '';
  for await (const chunk of res.setEncoding('utf8')) text += chunk;
  return { status: res.statusCode, text };
}

test('an upload of 2 GiB passes through while the memory of casque stays small', { timeout: 120000, skip: withoutProc }, async (t) => {
  const { url, pid } = await warmed(t, countBytes);
  const total = 2048 * MiB;
  const before = rss(pid);
  const memory = watchRss(pid);
  const answer = await upload(`${url}/upload`, total, { 'Content-Length': total });
  const growth = memory.stop() - before;
  t.diagnostic(`casque grew by ${(growth / MiB).toFixed(1)} MiB`);
  assert.deepEqual(answer, { status: 200, text: String(total) });
  assert.ok(growth < GROWTH, `casque grew by ${growth} bytes`);
});

test('a chunked upload of 256 MiB arrives whole', { timeout: 60000 }, async (t) => {
  const { url } = await guarded(t, countBytes);
  const total = 256 * MiB;
  assert.deepEqual(await upload(`${url}/upload`, total, {}), { status: 200, text: String(total) });
});

test('an app that does not read holds the client back instead of filling casque', { timeout: 60000, skip: withoutProc }, async (t) => {
  const arrived = deferred();
  const { port, pid } = await warmed(t, (req, res) => {
    req.pause();
    arrived.resolve({ req, res });
  });
  const before = rss(pid);
  const raw = await Raw.connect(t, port);
  const total = 200 * MiB;
  raw.write(`POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${total}\r\nConnection: close\r\n\r\n`);
  const { req, res } = await within(5000, 'the app to get the request', arrived.promise);
  const block = Buffer.alloc(MiB, 'casque');
  let sent = 0;
  const push = () => {
    while (sent < total) {
      sent += block.length;
      if (!raw.socket.write(block)) return;
    }
  };
  raw.socket.on('drain', push);
  push();
  // Stalled means: nothing more was taken from the client for a while.
  await stalled(() => raw.socket.bytesWritten - raw.socket.writableLength);
  const growth = rss(pid) - before;
  t.diagnostic(`casque grew by ${(growth / MiB).toFixed(1)} MiB, took ${(sent / MiB).toFixed(0)} MiB`);
  assert.ok(sent < total / 2, `${sent} bytes were taken from the client`);
  assert.ok(growth < GROWTH, `casque grew by ${growth} bytes`);
  countBytes(req, res);
  req.resume();
  assert.match(await raw.untilEnd(30000), new RegExp(`${total}`));
});

test('a slow reader of 100 MB holds the app back instead of filling casque', { timeout: 60000, skip: withoutProc }, async (t) => {
  const total = 100_000_000;
  const block = Buffer.alloc(100_000, 'casque');
  let written = 0;
  const { port, pid } = await warmed(t, (req, res) => {
    res.writeHead(200, { 'Content-Length': total });
    const push = () => {
      while (written < total) {
        written += block.length;
        if (!res.write(block)) {
          res.once('drain', push);
          return;
        }
      }
      res.end();
    };
    push();
  });
  const before = rss(pid);
  const memory = watchRss(pid);
  const socket = net.connect(port, HOST);
  t.after(() => socket.destroy());
  socket.write(get('/', 'Connection: close\r\n'));
  await once(socket, 'readable');
  // Nothing is read yet: the app must come to a stop well before the end.
  await stalled(() => written);
  assert.ok(written < total / 2, `the app could write ${written} bytes to nobody`);

  const hash = createHash('sha256');
  let head = null;
  let length = 0;
  let pauses = 0;
  for await (let chunk of socket) {
    if (head === null) {
      const at = chunk.indexOf('\r\n\r\n');
      head = chunk.subarray(0, at).toString('latin1');
      chunk = chunk.subarray(at + 4);
    }
    hash.update(chunk);
    length += chunk.length;
    // A slow reader: a rest after every 5 MB.
    if (length > (pauses + 1) * 5_000_000) {
      pauses += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const growth = memory.stop() - before;
  t.diagnostic(`casque grew by ${(growth / MiB).toFixed(1)} MiB`);
  assert.equal(length, total);
  const expected = createHash('sha256');
  for (let done = 0; done < total; done += block.length) expected.update(block);
  assert.equal(hash.digest('hex'), expected.digest('hex'));
  assert.ok(growth < GROWTH, `casque grew by ${growth} bytes`);
});

/** Waits until a number has not changed for half a second. */
async function stalled(number) {
  let last = -1;
  let since = Date.now();
  await poll(15000, 'a standstill', () => {
    const now = number();
    if (now !== last) {
      last = now;
      since = Date.now();
    }
    return Date.now() - since > 500;
  });
}

// ---------------------------------------------------------------- where it listens and connects

const CANNOT_LISTEN = /cannot listen|in use/i;

test('a port in use: casque says which, and exits with an error', options, async (t) => {
  const taken = await serve(t, (req, res) => res.end());
  const proc = casque(t, [
    'guard', '--no-grade', '--listen', `${HOST}:${taken.port}`, '--upstream', `http://${HOST}:${await freePort()}`,
  ]);
  const { code } = await proc.exit();
  assert.ok(code > 0, `exit code ${code}`);
  assert.match(proc.stderr, new RegExp(`${HOST}:${taken.port}`));
  assert.match(proc.stderr, CANNOT_LISTEN);
});

test('a port in use: the app is not left running', options, async (t) => {
  const taken = await serve(t, (req, res) => res.end());
  const app = `
    require('http').createServer().listen(process.env.PORT, '127.0.0.1', () => console.log('app ' + process.pid));`;
  const proc = casque(t, ['guard', '--no-grade', '--listen', `${HOST}:${taken.port}`, '--', process.execPath, '-e', app]);
  const { code } = await proc.exit();
  assert.ok(code > 0, `exit code ${code}`);
  assert.match(proc.stderr, CANNOT_LISTEN);
  const started = proc.stdout.match(/app (\d+)/);
  if (started) {
    const gone = () => !existsSync(`/proc/${started[1]}`);
    await poll(5000, 'the app to be gone', gone);
  }
});

test('an app on a unix socket is served', options, async (t) => {
  const socket = path.join(await tempDir(t), 'app.sock');
  await serve(
    t,
    (req, res) => {
      if (req.method === 'POST') countBytes(req, res);
      else res.end(`${req.headers.host} ${req.url}`);
    },
    { listen: socket },
  );
  const { url } = await guard(t, { upstream: `unix:${socket}` });
  const answer = await request(`${url}/path?query=1`, { headers: { Host: 'app.example' } });
  assert.equal(answer.text, 'app.example /path?query=1');
  const body = Buffer.alloc(3 * MiB);
  assert.equal((await request(`${url}/`, { method: 'POST', body })).text, String(body.length));
});
