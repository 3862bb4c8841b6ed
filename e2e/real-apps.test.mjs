// Applications that nobody here wrote, behind casque with its defaults: a
// package registry, a flow editor with a WebSocket, a REST server. What comes
// through the gateway is compared with what the application itself answers.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import {
  CHROMIUM,
  HOST,
  defer,
  deferred,
  freePort,
  guard,
  launchChromium,
  request,
  serve,
  start,
  tempDir,
  waitForPort,
  within,
  withoutChromium,
} from './harness.mjs';

const options = { timeout: 120000 };
const MiB = 1024 * 1024;
const require = createRequire(import.meta.url);

withoutChromium('the pages of verdaccio and node-red in a real browser; they are only fetched');

/** The file of a package's command, as its package.json names it. */
function commandOf(name) {
  const manifest = require.resolve(`${name}/package.json`);
  const { bin } = require(manifest);
  return path.join(path.dirname(manifest), typeof bin === 'string' ? bin : bin[name]);
}

const json = (method, body, headers = {}) => ({
  method,
  headers: { 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** The same request to both; asserts equal answers, up to the server's own address. */
async function same(direct, through, target, init) {
  const [a, b] = [await request(direct + target, init), await request(through + target, init)];
  const own = (answer, url) => answer.bytes.toString('latin1').replaceAll(url, 'URL');
  assert.equal(b.status, a.status, target);
  assert.equal(b.headers['content-type'], a.headers['content-type'], target);
  assert.equal(b.headers.location?.replace(through, 'URL'), a.headers.location?.replace(direct, 'URL'), target);
  assert.ok(own(b, through) === own(a, direct), `${target}: the bodies differ`);
  return { direct: a, through: b };
}

/** Every script and style sheet that a page names loads, and is the app's. */
async function assertAssets(direct, through, html) {
  const found = [...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
  const local = found.map((one) => new URL(one, `${through}/`)).filter((one) => one.origin === through);
  assert.ok(local.some((one) => one.pathname.endsWith('.js')), 'the page names a script');
  for (const { pathname, search } of local) await same(direct, through, pathname + search);
}

/** Opens a page in Chromium and returns the errors that it ran into. */
async function openInBrowser(t, url, selector) {
  const browser = await launchChromium(t);
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // What is only tried out is logged, and blocks nothing.
    const triedOut = message.text().includes('The policy is report-only');
    if (/content security policy|refused to/i.test(message.text()) && !triedOut) errors.push(message.text());
  });
  page.on('response', (response) => {
    if (response.url().startsWith(url) && response.status() >= 400) {
      errors.push(`${response.status()} ${response.url()}`);
    }
  });
  await page.goto(url, { timeout: 30000 });
  await page.locator(selector).first().waitFor({ timeout: 30000 });
  return errors;
}

// ---------------------------------------------------------------- verdaccio

const VERDACCIO_CONFIG = `
storage: ./storage
auth:
  htpasswd:
    file: ./htpasswd
    max_users: 10
uplinks: {}
packages:
  '**':
    access: $all
    publish: $authenticated
log: { type: stdout, format: pretty, level: warn }
`;

async function verdaccio(t) {
  const dir = await tempDir(t);
  await writeFile(path.join(dir, 'config.yaml'), VERDACCIO_CONFIG);
  const port = await freePort();
  const args = [commandOf('verdaccio'), '--config', path.join(dir, 'config.yaml'), '--listen', `${HOST}:${port}`];
  const proc = start(t, process.execPath, args, { cwd: dir, env: { HOME: dir }, name: 'verdaccio' });
  await waitForPort(port, proc, 40000);
  return `http://${HOST}:${port}`;
}

/** A package with a small file, and one of 3 MiB that does not compress. */
async function makePackage(t) {
  const dir = await tempDir(t);
  const manifest = { name: 'casque-e2e-parcel', version: '1.2.3', description: 'published by a test' };
  await writeFile(path.join(dir, 'package.json'), JSON.stringify(manifest));
  await writeFile(path.join(dir, 'index.js'), 'module.exports = 42;\n');
  await writeFile(path.join(dir, 'big.bin'), randomBytes(3 * MiB));
  return dir;
}

/** Runs npm against one registry, with settings and a cache of its own. */
async function npm(t, cwd, registry, token, ...args) {
  const home = await tempDir(t);
  const userconfig = path.join(home, 'npmrc');
  await writeFile(userconfig, `//${new URL(registry).host}/:_authToken=${token}\n`);
  const flags = ['--registry', `${registry}/`, '--userconfig', userconfig, '--cache', path.join(home, 'cache')];
  const proc = start(t, 'npm', [...args, ...flags, '--no-audit', '--no-fund'], { cwd, env: { HOME: home } });
  const { code } = await proc.exit(60000);
  assert.equal(code, 0, `npm ${args[0]}\n${proc.output}`);
  return proc;
}

test('verdaccio: its page loads, a package is published and downloaded through the gateway', options, async (t) => {
  const direct = await verdaccio(t);
  const { url } = await guard(t, { upstream: direct });

  await t.test('the page and its scripts are the ones of the app', async () => {
    const page = await request(`${url}/`);
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /^text\/html/);
    await assertAssets(direct, url, page.text);
  });

  await t.test('security headers that the app sends itself are kept, each once', async () => {
    const { direct: own, through } = await same(direct, url, '/-/verdaccio/data/packages');
    assert.equal(own.headers['x-frame-options'], 'deny');
    assert.match(through.headers['x-frame-options'], /^deny$/i);
    assert.match(through.headers['content-security-policy'], /connect-src 'self'/);
    assert.equal(through.headers['x-content-type-options'], 'nosniff');
    assert.equal(through.headers['x-powered-by'], undefined);
  });

  const parcel = await makePackage(t);
  await t.test('npm publish works', async (t) => {
    const user = { name: 'tester', password: 'a-long-password', type: 'user' };
    const added = await request(`${url}/-/user/org.couchdb.user:tester`, json('PUT', user));
    assert.equal(added.status, 201, added.text);
    await npm(t, parcel, url, added.json.token, 'publish', '--provenance=false');
  });

  await t.test('its page\'s log-in works twenty times in a row', async () => {
    const logIn = (username, password) => request(`${url}/-/verdaccio/sec/login`, json('POST', { username, password }));
    for (let n = 0; n < 20; n += 1) {
      const answer = await logIn('tester', 'a-long-password');
      assert.equal(answer.status, 200, `log-in ${n}: ${answer.text}`);
      assert.equal(typeof answer.json.token, 'string');
      assert.match(answer.headers['set-cookie'].join(), /casque-d-/);
    }
  });

  await t.test('the description names the gateway as the place to download from', async () => {
    const { through } = await same(direct, url, '/casque-e2e-parcel');
    const { tarball } = through.json.versions['1.2.3'].dist;
    assert.equal(tarball, `${url}/casque-e2e-parcel/-/casque-e2e-parcel-1.2.3.tgz`);
  });

  await t.test('the tarball is the same, byte for byte', async () => {
    const { through } = await same(direct, url, '/casque-e2e-parcel/-/casque-e2e-parcel-1.2.3.tgz');
    assert.ok(through.bytes.length > 3 * MiB);
  });

  await t.test('npm pack downloads it from there', async (t) => {
    const into = await tempDir(t);
    await npm(t, into, url, 'none', 'pack', 'casque-e2e-parcel@1.2.3');
    const tarball = await request(`${direct}/casque-e2e-parcel/-/casque-e2e-parcel-1.2.3.tgz`);
    assert.ok((await readFile(path.join(into, 'casque-e2e-parcel-1.2.3.tgz'))).equals(tarball.bytes));
  });

  await t.test('the page shows the package in a browser', { skip: CHROMIUM ? false : 'no chromium' }, async (t) => {
    assert.deepEqual(await openInBrowser(t, `${url}/`, 'text=casque-e2e-parcel'), []);
  });
});

// ---------------------------------------------------------------- node-red

async function nodeRed(t) {
  const dir = await tempDir(t);
  const port = await freePort();
  const settings = {
    userDir: dir,
    uiHost: HOST,
    uiPort: port,
    telemetry: { enabled: false },
    diagnostics: { enabled: false },
    editorTheme: { tours: false, palette: { editable: false } },
    logging: { console: { level: 'warn' } },
  };
  const file = path.join(dir, 'settings.js');
  await writeFile(file, `module.exports = ${JSON.stringify(settings)};\n`);
  const args = [commandOf('node-red'), '--settings', file];
  const proc = start(t, process.execPath, args, { cwd: dir, env: { HOME: dir }, name: 'node-red' });
  await waitForPort(port, proc, 40000);
  return `http://${HOST}:${port}`;
}

test('node-red: the editor loads, deploys, and its WebSocket lives through the gateway', options, async (t) => {
  const direct = await nodeRed(t);
  const { url } = await guard(t, { upstream: direct });

  await t.test('the page and its scripts are the ones of the app', async () => {
    const page = await request(`${url}/`);
    assert.equal(page.status, 200);
    await assertAssets(direct, url, page.text);
  });

  await t.test('a file of some MiB is the same, whole and in ranges', async () => {
    const { through } = await same(direct, url, '/red/red.js');
    assert.ok(through.bytes.length > 2 * MiB);
    const last = through.bytes.length - 1;
    for (const range of ['bytes=0-99', 'bytes=1000000-1999999', 'bytes=-500', `bytes=${last}-`]) {
      const part = await same(direct, url, '/red/red.js', { headers: { Range: range } });
      assert.equal(part.through.status, 206, range);
      assert.equal(part.through.headers['content-range'], part.direct.headers['content-range']);
    }
    const beyond = await same(direct, url, '/red/red.js', { headers: { Range: `bytes=${last + 1}-` } });
    assert.equal(beyond.through.status, 416);
  });

  await t.test('a file that has not changed is not sent again', async () => {
    const { through } = await same(direct, url, '/red/red.js');
    const again = await request(`${url}/red/red.js`, { headers: { 'If-None-Match': through.headers.etag } });
    assert.equal(again.status, 304);
    assert.equal(again.bytes.length, 0);
  });

  await t.test('/comms tells a subscriber of a deployment', async (t) => {
    const socket = await openSocket(t, `${url.replace('http', 'ws')}/comms`);
    const news = new EventEmitter();
    socket.on('message', (data) => {
      for (const { topic, data: about } of JSON.parse(data)) news.emit(topic, about);
    });
    // It first tells a new subscriber of the deployment at its own start.
    const first = once(news, 'notification/runtime-deploy');
    socket.send(JSON.stringify({ subscribe: 'notification/#' }));
    await within(10000, 'news of the first deployment', first);
    const second = once(news, 'notification/runtime-deploy');
    const flows = { flows: [{ id: 'a1b2c3d4', type: 'tab', label: 'from a test' }] };
    const answer = await request(`${url}/flows`, json('POST', flows, { 'Node-RED-API-Version': 'v2' }));
    assert.equal(answer.status, 200, answer.text);
    const [{ revision }] = await within(10000, 'news of our deployment', second);
    assert.equal(revision, answer.json.rev);
  });

  await t.test('the editor works in a browser', { skip: CHROMIUM ? false : 'no chromium' }, async (t) => {
    // The canvas and the palette are drawn by its scripts, once the flows came.
    assert.deepEqual(await openInBrowser(t, `${url}/`, '.red-ui-palette-node'), []);
  });
});

// ---------------------------------------------------------------- json-server

const POSTS = { posts: [{ id: 1, title: 'first', views: 10 }, { id: 2, title: 'second', views: 20 }] };

/** json-server takes its port as a flag, so a shell puts PORT there. */
async function jsonServerCommand(t) {
  const dir = await tempDir(t);
  const data = path.join(dir, 'db.json');
  await writeFile(data, JSON.stringify(POSTS));
  const script = 'exec "$0" "$1" --quiet --host 127.0.0.1 --port "$PORT" "$2"';
  return { dir, command: ['sh', '-c', script, process.execPath, commandOf('json-server'), data] };
}

test('json-server: reading and changing through the gateway is like doing it directly', options, async (t) => {
  const bare = await jsonServerCommand(t);
  const port = await freePort();
  const proc = start(t, bare.command[0], bare.command.slice(1), {
    cwd: bare.dir,
    env: { PORT: String(port) },
    name: 'json-server',
  });
  await waitForPort(port, proc);
  const direct = `http://${HOST}:${port}`;
  // A second one of its own, started by casque: each sees every change once.
  const { command, dir } = await jsonServerCommand(t);
  const { url } = await guard(t, { command, cwd: dir });

  const steps = [
    ['/posts'],
    ['/posts?_sort=views&_order=desc&_limit=1'],
    ['/posts', json('POST', { title: 'third', views: 30 })],
    ['/posts/3'],
    ['/posts/3', json('PATCH', { views: 31 })],
    ['/posts/3', json('PUT', { title: 'replaced' })],
    ['/posts/2', { method: 'DELETE' }],
    ['/posts/2'],
    ['/posts', { method: 'HEAD' }],
    ['/posts', { method: 'OPTIONS', headers: { Origin: 'http://other.example' } }],
    ['/posts', json('POST', { title: 'not JSON' }, { 'Content-Type': 'text/plain' })],
    ['/posts', { ...json('POST', {}), body: '{ broken' }],
    ['/no/such/thing'],
    ['/posts/%F0%9F%90%8E?q=a%20b&q=c'],
    ['/db'],
  ];
  for (const [target, init] of steps) {
    await t.test(`${init?.method ?? 'GET'} ${target}`, async () => {
      await same(direct, url, target, init);
    });
  }
  await t.test('paging and CORS headers are the app\'s', async () => {
    const headers = { Origin: 'http://other.example' };
    const pair = await same(direct, url, '/posts?_page=1&_limit=1', { headers });
    for (const name of ['x-total-count', 'link', 'vary', 'access-control-allow-credentials', 'access-control-allow-origin']) {
      assert.equal(pair.through.headers[name]?.replaceAll(url, 'URL'), pair.direct.headers[name]?.replaceAll(direct, 'URL'), name);
    }
    assert.equal(pair.through.headers['x-total-count'], '3');
  });
  await t.test('ten changes at once are ten changes', async () => {
    const changes = Array.from({ length: 10 }, (_, views) => request(`${url}/posts`, json('POST', { views })));
    const answers = await Promise.all(changes);
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([201]));
    assert.equal(new Set(answers.map((answer) => answer.json.id)).size, 10);
  });
});

// ---------------------------------------------------------------- downloads and WebSockets

async function openSocket(t, url, init) {
  const socket = new WebSocket(url, init);
  defer(t, () => socket.terminate());
  await within(10000, `WebSocket to ${url}`, once(socket, 'open'));
  return socket;
}

async function echoServer(t, init = {}) {
  const app = await serve(t, (req, res) => res.end('not a WebSocket'));
  const sockets = new WebSocketServer({ server: app.server, maxPayload: 16 * MiB, ...init });
  sockets.on('connection', (socket, req) => {
    socket.on('error', () => {});
    socket.on('message', (data, binary) => {
      if (!binary && data.toString() === 'close me') socket.close(4001, 'as asked');
      else socket.send(data, { binary });
    });
    if (req.url === '/greeting') socket.send('hello');
  });
  const { port, proc } = await guard(t, { upstream: app.url });
  return { sockets, proc, url: `ws://${HOST}:${port}` };
}

async function reply(socket) {
  const [data, binary] = await within(10000, 'a message', once(socket, 'message'));
  return { data, binary };
}

for (const perMessageDeflate of [false, true]) {
  const name = perMessageDeflate ? 'compressed' : 'plain';
  test(`WebSocket (${name}): frames of 1 MiB come back as they went`, options, async (t) => {
    const { url } = await echoServer(t, { perMessageDeflate });
    const socket = await openSocket(t, url, { perMessageDeflate });
    assert.equal(socket.extensions.includes('permessage-deflate'), perMessageDeflate);
    for (let round = 0; round < 8; round += 1) {
      const sent = randomBytes(MiB);
      socket.send(sent);
      const { data, binary } = await reply(socket);
      assert.ok(binary && data.equals(sent));
    }
  });
}

test('WebSocket: a message in fragments comes back whole', options, async (t) => {
  const { url } = await echoServer(t);
  const socket = await openSocket(t, url, { perMessageDeflate: false });
  const parts = Array.from({ length: 20 }, () => randomBytes(100_000));
  parts.forEach((part, index) => socket.send(part, { binary: true, fin: index === parts.length - 1 }));
  const { data } = await reply(socket);
  assert.ok(data.equals(Buffer.concat(parts)));
});

test('WebSocket: text, empty messages, pings and the order of many small ones survive', options, async (t) => {
  const { url } = await echoServer(t);
  const socket = await openSocket(t, url);
  socket.send('héllo 🐎');
  assert.equal((await reply(socket)).data.toString(), 'héllo 🐎');
  socket.send('');
  assert.equal((await reply(socket)).data.length, 0);
  socket.ping('are you there');
  const [pong] = await within(5000, 'a pong', once(socket, 'pong'));
  assert.equal(pong.toString(), 'are you there');
  const received = [];
  const all = deferred();
  socket.on('message', (data) => received.push(Number(data)) === 2000 && all.resolve());
  for (let number = 0; number < 2000; number += 1) socket.send(String(number));
  await within(10000, 'all small messages', all.promise);
  assert.deepEqual(received, Array.from({ length: 2000 }, (_, number) => number));
});

test('WebSocket: a message that the app sends right after its 101 is not lost', options, async (t) => {
  const { url } = await echoServer(t);
  for (let round = 0; round < 20; round += 1) {
    const socket = new WebSocket(`${url}/greeting`);
    defer(t, () => socket.terminate());
    assert.equal((await reply(socket)).data.toString(), 'hello');
  }
});

test('WebSocket: the subprotocol that the app chooses is the one the client gets', options, async (t) => {
  const { url } = await echoServer(t, { handleProtocols: () => 'second' });
  const socket = new WebSocket(url, ['first', 'second']);
  defer(t, () => socket.terminate());
  await within(10000, 'the WebSocket', once(socket, 'open'));
  assert.equal(socket.protocol, 'second');
});

test('WebSocket: close code and reason come through in both directions', options, async (t) => {
  const { url, sockets } = await echoServer(t);
  const closer = await openSocket(t, url);
  closer.send('close me');
  const [code, reason] = await within(5000, 'the app\'s close', once(closer, 'close'));
  assert.deepEqual([code, reason.toString()], [4001, 'as asked']);
  const connected = once(sockets, 'connection');
  const left = await openSocket(t, url);
  const [atApp] = await connected;
  left.close(4002, 'done here');
  const [seen, why] = await within(5000, 'the client\'s close', once(atApp, 'close'));
  assert.deepEqual([seen, why.toString()], [4002, 'done here']);
});

test('WebSocket: when the client is gone without a word, the app hears it', options, async (t) => {
  const { url, sockets } = await echoServer(t);
  const connected = once(sockets, 'connection');
  const socket = await openSocket(t, url);
  const [atApp] = await connected;
  socket.terminate();
  await within(5000, 'the end at the app', once(atApp, 'close'));
});

test('WebSocket: an app that refuses the upgrade is heard with its own answer', options, async (t) => {
  const { url } = await echoServer(t, { verifyClient: (info, done) => done(false, 403, 'not you') });
  const socket = new WebSocket(url);
  defer(t, () => socket.terminate());
  socket.on('error', () => {});
  const [, answer] = await within(5000, 'the refusal', once(socket, 'unexpected-response'));
  assert.equal(answer.statusCode, 403);
  answer.resume();
});

test('an upgrade to anything else than a WebSocket is not tunnelled', options, async (t) => {
  const app = http.createServer((req, res) => res.end(`upgrade: ${req.headers.upgrade ?? 'none'}`));
  const { url: upstream } = await serve(t, app);
  const { url } = await guard(t, { upstream });
  const answer = await request(`${url}/`, {
    headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' },
  });
  assert.equal(answer.text, 'upgrade: none');
});
