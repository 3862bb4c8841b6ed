// The article's app, bare and behind casque, seen through real sockets.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Raw,
  bareExample,
  casque,
  freePort,
  guard,
  guardedExample,
  HOST,
  isAlive,
  parseSetCookie,
  poll,
  postForm,
  request,
  serve,
  splitHead,
  waitForPort,
  within,
} from './harness.mjs';

const LOGIN = { user: 'demo', password: 'demo-password' };
const SECURITY_HEADERS = [
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
  'permissions-policy',
  'content-security-policy',
];
const options = { timeout: 60000 };

async function headOf(t, port, extra = '') {
  const raw = await Raw.connect(t, port);
  raw.write(`GET / HTTP/1.1\r\nHost: shop.example\r\n${extra}Connection: close\r\n\r\n`);
  return splitHead(await raw.untilEnd());
}

async function loginCookies(url, headers) {
  const answer = await postForm(`${url}/login`, LOGIN, headers);
  assert.equal(answer.status, 302);
  return parseSetCookie(answer.headers['set-cookie']);
}

// ---------------------------------------------------------------- headers

test('bare: the app names its framework and sends no security header', options, async (t) => {
  const { port } = await bareExample(t);
  const { status, headers } = await headOf(t, port);
  assert.equal(status, 200);
  assert.equal(headers['x-powered-by'], 'Express');
  for (const name of SECURITY_HEADERS) assert.equal(headers[name], undefined, name);
});

test('guarded: security headers are there once each, X-Powered-By is gone, the page is the same', options, async (t) => {
  const bare = await bareExample(t);
  const { port } = await guardedExample(t);
  const before = await headOf(t, bare.port);
  const { status, headers, rest } = await headOf(t, port);
  assert.equal(status, 200);
  assert.equal(rest, before.rest);
  assert.equal(headers['content-type'], before.headers['content-type']);
  assert.equal(headers.etag, before.headers.etag);
  assert.equal(headers['x-powered-by'], undefined);
  assert.equal(headers.server, undefined);
  // splitHead joins repeated fields with a comma, so equality also means once.
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
  assert.equal(headers['referrer-policy'], 'strict-origin-when-cross-origin');
  assert.ok(headers['permissions-policy']);
  const policy = headers['content-security-policy'].split(';').map((part) => part.trim()).sort();
  assert.deepEqual(policy, ["base-uri 'self'", "frame-ancestors 'self'", "object-src 'none'", 'report-uri /_casque/reports']);
  // Plain HTTP: browsers must ignore these there, so they are not sent.
  assert.equal(headers['strict-transport-security'], undefined);
  assert.equal(headers['cross-origin-opener-policy'], undefined);
});

test('guarded: HSTS and COOP come with the public scheme https, HSTS not for an IP address', options, async (t) => {
  const { port, url } = await guardedExample(t, '[client-ip]\nscheme = "https"\n');
  const named = await headOf(t, port);
  assert.match(named.headers['strict-transport-security'], /^max-age=\d{7,}/);
  assert.ok(named.headers['cross-origin-opener-policy']);
  const byAddress = await request(`${url}/`);
  assert.equal(byAddress.headers['strict-transport-security'], undefined);
});

test('guarded: the JSON answer of the API is the app\'s, byte for byte', options, async (t) => {
  const bare = await bareExample(t);
  const { url } = await guardedExample(t);
  const direct = await request(`${bare.url}/api/items`);
  const through = await request(`${url}/api/items`);
  assert.equal(through.status, direct.status);
  assert.equal(through.headers['content-type'], direct.headers['content-type']);
  assert.deepEqual(through.bytes, direct.bytes);
});

// ---------------------------------------------------------------- cookies

test('bare: the wrongly nested options are ignored, the second cookie has no flags', options, async (t) => {
  const { url } = await bareExample(t);
  const { session, user } = await loginCookies(url);
  // cookie-session's own defaults; secure, domain, path and expires of the
  // nested options are nowhere to be seen.
  assert.deepEqual(session.attributes, { path: '/', httponly: '' });
  assert.deepEqual(user.attributes, { path: '/' });
});

test('guarded on http: every cookie is HttpOnly and SameSite=Lax, none is Secure', options, async (t) => {
  const { url } = await guardedExample(t);
  const cookies = await loginCookies(url);
  const names = Object.keys(cookies).map((name) => name.replace(/^(casque-d-).*/, '$1'));
  assert.deepEqual(names.sort(), ['casque-d-', 'session', 'session.sig', 'user']);
  for (const [name, { attributes }] of Object.entries(cookies)) {
    assert.ok('httponly' in attributes, `${name} is HttpOnly`);
    assert.equal(attributes.samesite?.toLowerCase(), 'lax', `${name} is SameSite=Lax`);
    assert.equal(attributes.path, '/', `${name} keeps its path`);
    // On plain HTTP a Secure cookie would be lost, and the login with it.
    assert.ok(!('secure' in attributes), `${name} is not Secure`);
  }
});

test('guarded: cookies are Secure when the configuration says that the public scheme is https', options, async (t) => {
  const { url } = await guardedExample(t, '[client-ip]\nscheme = "https"\n');
  for (const [name, { attributes }] of Object.entries(await loginCookies(url))) {
    assert.ok('secure' in attributes, `${name} is Secure`);
    assert.ok('httponly' in attributes, `${name} is HttpOnly`);
    assert.equal(attributes.samesite?.toLowerCase(), 'lax', `${name} is SameSite=Lax`);
  }
});

test('guarded: cookies are Secure when a trusted proxy says https, and not when it says http', options, async (t) => {
  const { url } = await guardedExample(t, '[client-ip]\ntrusted-proxies = ["127.0.0.1/32"]\n');
  const https = await loginCookies(url, { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.9' });
  const http = await loginCookies(url, { 'X-Forwarded-Proto': 'http', 'X-Forwarded-For': '203.0.113.9' });
  for (const name of ['session', 'session.sig', 'user']) {
    assert.ok('secure' in https[name].attributes, `${name} is Secure on https`);
    assert.ok(!('secure' in http[name].attributes), `${name} is not Secure on http`);
  }
});

test('guarded: a client that is not a trusted proxy cannot claim https', options, async (t) => {
  const { url } = await guardedExample(t);
  for (const [name, { attributes }] of Object.entries(await loginCookies(url, { 'X-Forwarded-Proto': 'https' }))) {
    assert.ok(!('secure' in attributes), `${name} is not Secure`);
  }
});

test('guarded: the session of a login works, and ends with the logout', options, async (t) => {
  const { url } = await guardedExample(t);
  const cookies = await loginCookies(url);
  const Cookie = Object.entries(cookies).map(([name, { value }]) => `${name}=${value}`).join('; ');
  assert.match((await request(`${url}/`, { headers: { Cookie } })).text, /Logged in as demo/);
  const logout = await request(`${url}/logout`, { method: 'POST', headers: { Cookie } });
  assert.equal(logout.status, 302);
  assert.equal(parseSetCookie(logout.headers['set-cookie']).session.value, '');
});

// ---------------------------------------------------------------- the login budget

const GUESSES = 120;

/** Guesses passwords ten at a time, as fast as the answers come. */
async function guessPasswords(url) {
  const answers = [];
  const started = Date.now();
  let next = 0;
  const worker = async () => {
    while (next < GUESSES) {
      next += 1;
      answers.push(await postForm(`${url}/login`, { user: 'demo', password: `guess-${next}` }));
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  return { answers, seconds: (Date.now() - started) / 1000 };
}

const byApp = (answer) => answer.status === 401 && answer.text === 'Wrong user or password';

test('bare: the app answers every one of 120 fast login attempts', options, async (t) => {
  const { url } = await bareExample(t);
  const { answers } = await guessPasswords(url);
  assert.equal(answers.filter(byApp).length, GUESSES);
});

test('guarded: at most five guesses at the account reach the app', options, async (t) => {
  const { url } = await guardedExample(t);
  const { answers } = await guessPasswords(url);
  // Fewer where several come at one moment: the app looks at two at a time, and the limit counts what waits.
  const reached = answers.filter(byApp).length;
  assert.ok(reached >= 1 && reached <= 5, `${reached} reached the app`);
  assert.equal(answers.filter((answer) => [429, 503].includes(answer.status)).length, GUESSES - reached);
});

test('by the limit alone: at most the budget reaches the app, the rest is 429 with Retry-After', options, async (t) => {
  const { url } = await guardedExample(t, 'login = []\n');
  const { answers, seconds } = await guessPasswords(url);
  const reached = answers.filter(byApp);
  const refused = answers.filter((answer) => answer.status === 429);
  assert.equal(reached.length + refused.length, GUESSES);
  // 20 at once, and one more for every three seconds that the loop took.
  const budget = 20 + Math.ceil(seconds / 3);
  assert.ok(reached.length >= 20 && reached.length <= budget, `${reached.length} of ${budget} reached the app`);
  for (const { headers } of refused) {
    assert.match(headers['retry-after'], /^\d+$/);
    const wait = Number(headers['retry-after']);
    assert.ok(wait >= 1 && wait <= 60, `Retry-After is ${wait}`);
    assert.match(headers['cache-control'], /no-store/);
    assert.match(headers['ratelimit'], /"login"/);
    assert.match(headers['ratelimit-policy'], /"login"/);
  }
  // The right password is refused as well: otherwise the limit would tell it.
  assert.equal((await postForm(`${url}/login`, LOGIN)).status, 429);
  // And the limit is on the login only.
  assert.equal((await request(`${url}/`)).status, 200);
  assert.equal((await request(`${url}/api/items`)).status, 200);
});

test('guarded: a 429 is problem+json for clients that ask for JSON, a page for browsers', options, async (t) => {
  const { url } = await guardedExample(t);
  await guessPasswords(url);
  for (const Accept of ['application/problem+json', 'application/json']) {
    const answer = await postForm(`${url}/login`, LOGIN, { Accept });
    assert.equal(answer.status, 429);
    assert.match(answer.headers['content-type'], /^application\/problem\+json/);
    assert.equal(answer.json.status, 429);
    assert.equal(typeof answer.json.title, 'string');
  }
  const page = await postForm(`${url}/login`, LOGIN, {
    Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  });
  assert.equal(page.status, 429);
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.match(page.text, /<html/i);
});

test('guarded: after the time in Retry-After an attempt reaches the app again', options, async (t) => {
  const { url } = await guardedExample(t);
  await guessPasswords(url);
  const refused = await postForm(`${url}/login`, LOGIN);
  assert.equal(refused.status, 429);
  const seconds = Number(refused.headers['retry-after']);
  // The passing of this time is what is tested, so there is no event for it.
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  assert.equal((await postForm(`${url}/login`, LOGIN)).status, 302);
});

// ---------------------------------------------------------------- the app as a child

const node = (code) => [process.execPath, '-e', code];
const LISTENING_APP = `
  const server = require('http').createServer((req, res) => res.end('port ' + process.env.PORT));
  server.listen(process.env.PORT, '127.0.0.1');`;

test('guard -- command gives the app a free PORT of its own', options, async (t) => {
  const { url, port } = await guard(t, { command: node(LISTENING_APP), env: { PORT: '1' } });
  const answer = await request(`${url}/`);
  const given = Number(answer.text.replace('port ', ''));
  assert.ok(given > 1023 && given !== port, answer.text);
});

test('guard -- command does not accept before the app does', options, async (t) => {
  const port = await freePort();
  const slow = `setTimeout(() => {${LISTENING_APP}}, 1500)`;
  const started = Date.now();
  const proc = casque(t, ['guard', '--no-grade', '--listen', `${HOST}:${port}`, '--', ...node(slow)]);
  await waitForPort(port, proc);
  assert.ok(Date.now() - started > 1000, `accepted after ${Date.now() - started} ms`);
  assert.equal((await request(`http://${HOST}:${port}/`)).status, 200);
});

test('SIGTERM to casque ends the app too: no orphan', options, async (t) => {
  const { proc } = await guardedExample(t);
  const below = proc.below();
  assert.equal(below.length, 1, 'the app is the one process below casque');
  proc.kill('SIGTERM');
  const { code, signal } = await proc.exit();
  // The app has no handler of its own, so the signal itself ended it.
  assert.equal(signal, null);
  assert.ok(code === 0 || code === 143, `exit code ${code}`);
  await poll(5000, 'the app to be gone', () => !isAlive(below[0]));
});

test('SIGINT to casque alone ends the app too', options, async (t) => {
  const { proc } = await guardedExample(t);
  const below = proc.below();
  proc.kill('SIGINT');
  await proc.exit();
  await poll(5000, 'the app to be gone', () => !isAlive(below[0]));
});

test('SIGTERM reaches an app that handles it, and its exit code comes back', options, async (t) => {
  const { proc } = await guard(t, {
    command: node(`${LISTENING_APP} process.on('SIGTERM', () => { console.log('app got SIGTERM'); process.exit(7); })`),
  });
  proc.kill('SIGTERM');
  assert.deepEqual(await proc.exit(), { code: 7, signal: null });
  assert.match(proc.output, /app got SIGTERM/);
});

test('casque exits with the code of an app that exits by itself', options, async (t) => {
  const port = await freePort();
  const proc = casque(t, [
    'guard', '--no-grade', '--listen', `${HOST}:${port}`, '--',
    ...node(`${LISTENING_APP} server.on('request', () => process.exit(3));`),
  ]);
  await waitForPort(port, proc);
  await request(`http://${HOST}:${port}/`).catch(() => {});
  assert.deepEqual(await proc.exit(), { code: 3, signal: null });
});

test('casque exits with the code of an app that exits before it listens', options, async (t) => {
  const proc = casque(t, ['guard', '--no-grade', '--listen', `${HOST}:${await freePort()}`, '--', ...node('process.exit(3)')]);
  assert.deepEqual(await proc.exit(), { code: 3, signal: null });
});

test('casque says so when the app is killed, and exits with an error', options, async (t) => {
  const { proc } = await guardedExample(t);
  const [app] = proc.below();
  process.kill(app.pid, 'SIGKILL');
  const { code } = await proc.exit();
  assert.ok(code > 0, `exit code ${code}`);
  assert.match(proc.stderr, /kill|signal/i);
});

test('casque says so when the command does not exist', options, async (t) => {
  const proc = casque(t, ['guard', '--no-grade', '--listen', `${HOST}:${await freePort()}`, '--', 'no-such-command-here']);
  const { code } = await proc.exit();
  assert.ok(code > 0, `exit code ${code}`);
  assert.match(proc.stderr, /no-such-command-here/);
});

// ---------------------------------------------------------------- what the app is told

async function echoApp(t) {
  return serve(t, (req, res) => res.end(JSON.stringify({ headers: req.headers, raw: req.rawHeaders })));
}

test('what an untrusted client says about itself does not reach the app', options, async (t) => {
  const app = await echoApp(t);
  const { url } = await guard(t, { upstream: app.url });
  const { json } = await request(`${url}/`, {
    headers: {
      Host: 'shop.example',
      'X-Forwarded-For': ['203.0.113.7', '198.51.100.1'],
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'for=203.0.113.7;proto=https;host=evil.example',
      'X-Real-IP': '203.0.113.7',
    },
  });
  assert.equal(json.headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(json.headers['x-forwarded-proto'], 'http');
  assert.equal(json.headers['x-forwarded-host'], 'shop.example');
  assert.equal(json.headers.host, 'shop.example');
  assert.match(json.headers.via, /^1\.1 casque$/);
  assert.ok(json.headers['x-request-id']);
  assert.doesNotMatch(json.raw.join('\n'), /203\.0\.113\.7|198\.51\.100\.1|evil\.example/);
});

test('X-Forwarded-For in other spellings does not reach the app', options, async (t) => {
  const app = await echoApp(t);
  const { port } = await guard(t, { upstream: app.url });
  const raw = await Raw.connect(t, port);
  raw.write(
    'GET / HTTP/1.1\r\nHost: shop.example\r\nx-FORWARDED-for: 203.0.113.7\r\nX-Forwarded-For: 203.0.113.7\r\n' +
      'X_Forwarded_For: 203.0.113.7\r\nConnection: close\r\n\r\n',
  );
  const { status, rest } = splitHead(await raw.untilEnd());
  assert.equal(status, 200);
  assert.doesNotMatch(rest, /203\.0\.113\.7/);
  assert.match(rest, /"x-forwarded-for":"127\.0\.0\.1"/);
});

test('a client cannot have X-Forwarded-For taken out again by naming it in Connection', options, async (t) => {
  const app = await echoApp(t);
  const { port } = await guard(t, { upstream: app.url });
  const raw = await Raw.connect(t, port);
  raw.write('GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close, X-Forwarded-For, X-Forwarded-Proto\r\n\r\n');
  const { status, rest } = splitHead(await raw.untilEnd());
  // Refusing it is as good as serving it with the fields in place.
  if (status === 200) assert.match(rest, /"x-forwarded-for":"127\.0\.0\.1"/);
  else assert.equal(status, 400);
});

test('a trusted proxy\'s X-Forwarded-For does reach the app, without what was forged before it', options, async (t) => {
  const app = await echoApp(t);
  const { url } = await guard(t, {
    upstream: app.url,
    config: '[client-ip]\ntrusted-proxies = ["127.0.0.1/32"]\n',
  });
  const { json } = await request(`${url}/`, { headers: { 'X-Forwarded-For': '192.0.2.66, 203.0.113.7' } });
  // The last address is the one the trusted proxy saw; the one before it is
  // whatever the client claimed.
  assert.match(json.headers['x-forwarded-for'], /203\.0\.113\.7/);
  assert.doesNotMatch(json.headers['x-forwarded-for'], /^192\.0\.2\.66$/);
});

test('limits are per client: one that a trusted proxy names does not use up another\'s budget', options, async (t) => {
  const { url } = await guardedExample(t, '[client-ip]\ntrusted-proxies = ["127.0.0.1/32"]\n');
  const attempt = (client) =>
    postForm(`${url}/login`, { user: 'demo', password: 'x' }, { 'X-Forwarded-For': client });
  const first = await Promise.all(Array.from({ length: 30 }, () => attempt('203.0.113.7')));
  assert.ok(first.some((answer) => answer.status === 429));
  assert.equal((await attempt('203.0.113.8')).status, 401);
  // A forged first entry is no other client.
  assert.equal((await attempt('192.0.2.66, 203.0.113.7')).status, 429);
});

test('many clients at once all get their own answer', options, async (t) => {
  const app = await serve(t, (req, res) => res.end(req.url));
  const { url } = await guard(t, { upstream: app.url, config: 'limit = []\n' });
  const paths = Array.from({ length: 300 }, (_, index) => `/item/${index}`);
  const answers = await within(20000, '300 answers', Promise.all(paths.map((one) => request(url + one))));
  assert.deepEqual(answers.map((answer) => answer.text), paths);
});
