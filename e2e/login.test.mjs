// The login guard as the people in front of it and the app behind it see it:
// Express apps of every usual kind, a botnet, and a real browser that meets a
// challenge. Nothing is configured unless a test says so.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import express from 'express';
import session from 'express-session';
import multer from 'multer';
import {
  CHROMIUM,
  Raw,
  casque,
  guard,
  guardedExample,
  launchChromium,
  parseSetCookie,
  poll,
  postForm,
  request,
  serve,
  splitHead,
  tempDir,
  withoutChromium,
} from './harness.mjs';

const options = { timeout: 60000 };
const inBrowser = { timeout: 120000, skip: CHROMIUM ? false : 'no chromium' };
withoutChromium('the challenge of the login guard in a real browser');

/** The test plays the proxy in front, and so every client of the botnet. */
const BEHIND_PROXY = '[client-ip]\ntrusted-proxies = ["127.0.0.1"]\n';
const from = (n) => ({ 'X-Forwarded-For': `100.64.${n}.1` });
const HTML = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

const CHECK = { name: 'One moment before you sign in' };

const PASSWORDS = { alice: 'wonderland', bob: 'builder' };
const right = (name, password) => Object.hasOwn(PASSWORDS, name) && PASSWORDS[name] === password;

/**
 * One app with a log-in of every kind, and what it was asked: `asked` has the
 * bytes and the head of every attempt that reached it.
 */
function shop() {
  const app = express();
  const asked = [];
  app.use((req, res, next) => {
    assert.doesNotMatch(req.headers.cookie ?? '', /casque/, 'the guard\'s cookies are none of the app\'s');
    next();
  });
  const bytes = express.raw({ type: () => true, limit: '1mb' });
  const note = (req, res, next) => {
    asked.push({ path: req.path, headers: req.headers, bytes: req.body });
    next();
  };
  const fields = (req) => Object.fromEntries(new URLSearchParams(req.body.toString()));
  app.use(session({ secret: 'kept', resave: false, saveUninitialized: true, name: 'sid' }));

  const form = (path, words = '') => `<!doctype html><title>Shop</title><h1>Shop</h1><p>${words}</p>
    <form method="post" action="${path}"><label>Name <input name="username"></label>
    <label>Password <input name="password" type="password"></label><button>Log in</button></form>`;
  app.get('/', (req, res) => res.send(`<!doctype html><title>Shop</title><p>${req.session.user ? `Hello ${req.session.user}` : 'Nobody'}</p>`));
  app.get('/login', (req, res) => res.send(form('/login')));
  app.get('/account/login', (req, res) => res.send(form('/account/login')));

  // The form that everybody writes: a redirect after success, 401 or the form again after failure.
  const enter = (req, res, next) => {
    const { username, password } = fields(req);
    if (!right(username, password)) return next();
    req.session.user = username;
    return res.redirect(302, '/');
  };
  app.post('/login', bytes, note, enter, (req, res) => res.status(401).send(form('/login', 'Wrong name or password')));
  app.post('/account/login', bytes, note, enter, (req, res) => res.send(form('/account/login', 'Wrong name or password')));
  app.post('/flash/login', bytes, note, enter, (req, res) => res.redirect('/flash/login?error=1'));
  // An API.
  app.post('/api/login', bytes, note, (req, res) => {
    const { email, password } = JSON.parse(req.body.toString());
    if (right(email, password)) res.json({ token: randomBytes(8).toString('hex') });
    else res.status(401).json({ error: 'invalid_credentials' });
  });
  app.post('/upload/login', multer().none(), (req, res) => {
    asked.push({ path: req.path, headers: req.headers, fields: req.body });
    if (right(req.body.username, req.body.password)) res.redirect('/');
    else res.status(401).send('no');
  });
  app.put('/login', (req, res) => res.status(405).send('no PUT here'));
  return { app, asked };
}

async function guardedShop(t, config = BEHIND_PROXY) {
  const { app, asked } = shop();
  const { url: upstream } = await serve(t, (req, res) => app(req, res));
  const gateway = await guard(t, { upstream, config });
  return { ...gateway, asked, upstream };
}

const logIn = (url, username, password, headers = {}) => postForm(`${url}/login`, { username, password }, headers);

const cookieHeader = (answer) => (answer.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');

/** Guesses at an account from so many addresses; returns the statuses. */
async function botnet(url, username, addresses) {
  const statuses = [];
  for (let n = 0; n < addresses; n += 1) statuses.push((await logIn(url, username, `guess-${n}`, from(n))).status);
  return statuses;
}

// ---------------------------------------------------------------- what the app sees

test('every kind of log-in works, right and wrong, and its body is the one that was sent', options, async (t) => {
  const { url, asked } = await guardedShop(t);
  const boundary = 'XcasqueX';
  const multipart = (fields) => `${Object.entries(fields)
    .map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('')}--${boundary}--\r\n`;
  const types = { form: 'application/x-www-form-urlencoded', json: 'application/json; charset=utf-8', multipart: `multipart/form-data; boundary=${boundary}` };
  const kinds = [
    ['/login', 'form', 302, 401],
    ['/account/login', 'form', 302, 200],
    ['/flash/login', 'form', 302, 302],
    ['/api/login', 'json', 200, 401],
    ['/upload/login', 'multipart', 302, 401],
  ];
  for (const [target, kind, yes, no] of kinds) {
    for (const [password, status] of [['wonderland', yes], ['wrong & + %41 é \u{1f40e}', no]]) {
      const values = { [kind === 'json' ? 'email' : 'username']: 'alice', password };
      const body = { form: () => new URLSearchParams(values).toString(), json: () => JSON.stringify(values, null, 2), multipart: () => multipart(values) }[kind]();
      const answer = await request(url + target, { method: 'POST', headers: { 'Content-Type': types[kind] }, body });
      assert.equal(answer.status, status, `${target} ${password}`);
      const seen = asked.at(-1);
      if (kind === 'multipart') assert.equal(seen.fields.password, password);
      else assert.ok(seen.bytes.equals(Buffer.from(body)), target);
      const device = Object.keys(parseSetCookie(answer.headers['set-cookie'])).filter((name) => name.includes('casque'));
      assert.equal(device.length, status === yes && password === 'wonderland' ? 1 : 0, `${target} ${password}: ${device}`);
    }
  }
});

test('a body without a length, in many pieces and with a late end arrives whole', options, async (t) => {
  const { port, asked } = await guardedShop(t);
  const raw = await Raw.connect(t, port);
  raw.write('POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n');
  for (const piece of ['username=al', 'ice&pass', 'word=wonder', 'land']) {
    raw.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  raw.write('0\r\n\r\n');
  assert.equal(splitHead(await raw.untilEnd()).status, 302);
  assert.equal(asked[0].bytes.toString(), 'username=alice&password=wonderland');
});

test('what could hide the account from the guard is refused, says why, and never reaches the app', options, async (t) => {
  const { url, asked } = await guardedShop(t);
  const post = (body, headers = {}) =>
    request(`${url}/login`, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }, body });
  for (const [status, body, headers, says] of [
    [413, `pad=${'x'.repeat(70000)}&username=alice&password=wonderland`, {}, /longer than a log-in/],
    [415, 'username=alice', { 'Content-Encoding': 'gzip' }, /Content-Encoding/],
    [415, '<user>alice</user>', { 'Content-Type': 'application/xml' }, /must be sent as one of/],
    [415, 'username=alice', { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-16' }, /UTF-8/],
    [400, '{"username":"alice"', { 'Content-Type': 'application/json' }, /not well-formed JSON/],
    [400, '{"username":{"$ne":1}}', { 'Content-Type': 'application/json' }, /must be text/],
    [400, 'username=alice&username=bob', {}, /one account/],
    [400, 'username=al%00ice', {}, /characters that no name has/],
  ]) {
    const answer = await post(body, headers);
    assert.equal(answer.status, status, body.slice(0, 40));
    assert.match(answer.text, says);
  }
  assert.equal(asked.length, 0);
});

test('other routes are not touched: an upload streams while its beginning is answered', options, async (t) => {
  const app = (req, res) => {
    res.write('first:');
    req.pipe(res);
  };
  const { url: upstream } = await serve(t, app);
  const { port } = await guard(t, { upstream });
  const raw = await Raw.connect(t, port);
  raw.write('POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n');
  await raw.until('hello');
  raw.write('5\r\nworld\r\n0\r\n\r\n');
  assert.match(await raw.untilEnd(), /world/);
});

// ---------------------------------------------------------------- the attack

test('a botnet has five guesses at an account; its owner gets in by the browser that she used before', options, async (t) => {
  const { url, asked, proc } = await guardedShop(t);
  const first = await logIn(url, 'alice', 'wonderland', from(200));
  const cookies = cookieHeader(first);
  assert.match(cookies, /^.*casque-d-/);
  const statuses = await botnet(url, 'alice', 60);
  assert.deepEqual(statuses, statuses.map((_, n) => (n < 5 ? 401 : 429)));
  assert.equal(asked.length, 6);
  // Neither another spelling nor another kind of body nor the right password.
  for (const name of ['ALICE', ' alice ', 'álice', 'ａlice']) {
    assert.equal((await logIn(url, name, 'wonderland', from(201))).status, 429, name);
  }
  const asJson = { method: 'POST', headers: { 'Content-Type': 'application/json', ...from(202) }, body: '{"email":"\\u0061lice","password":"wonderland"}' };
  assert.equal((await request(`${url}/api/login?x=1`, asJson)).status, 429);
  // The owner, from any address.
  for (const n of [200, 210, 211]) {
    assert.equal((await logIn(url, 'alice', 'wonderland', { ...from(n), Cookie: cookies })).status, 302);
  }
  // Nobody else's account has suffered.
  assert.equal((await logIn(url, 'bob', 'builder', from(203))).status, 302);
  await proc.says(/limited=login:login:account/);
  await proc.says(/login=login:success-known/);
});

test('a hundred at once are as few as one after another', options, async (t) => {
  const { url, asked } = await guardedShop(t);
  const all = Array.from({ length: 100 }, (_, n) => logIn(url, 'alice', `guess-${n}`, from(n)));
  const statuses = (await Promise.all(all)).map((answer) => answer.status);
  assert.ok(asked.length <= 5, `${asked.length} reached the app`);
  assert.equal(statuses.filter((status) => status === 401).length, asked.length);
});

test('a refusal tells a program how long to wait or what to do', options, async (t) => {
  const { url } = await guardedShop(t);
  await botnet(url, 'alice', 5);
  const answer = await logIn(url, 'alice', 'wonderland', { ...from(99), Accept: 'application/json' });
  assert.equal(answer.status, 429);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.json.challenge.type, 'wait');
  assert.equal(answer.headers.ratelimit, undefined, 'what is left of an account\'s budget is nobody\'s business');
});

test('a reload keeps the counts, and the browsers that are known', options, async (t) => {
  const { url, asked, dir, proc } = await guardedShop(t);
  const cookies = cookieHeader(await logIn(url, 'alice', 'wonderland', from(200)));
  await botnet(url, 'alice', 6);
  await writeFile(path.join(dir, 'casque.toml'), `${BEHIND_PROXY}[headers]\npreset = "helmet"\n`);
  proc.kill('SIGHUP');
  await proc.says(/reloaded/);
  assert.equal((await logIn(url, 'alice', 'wonderland', from(201))).status, 429);
  assert.equal((await logIn(url, 'alice', 'wonderland', { ...from(201), Cookie: cookies })).status, 302);
  assert.equal(asked.length, 7);
});

test('a guard that only watches stops nobody, and the log says whom it would have stopped', options, async (t) => {
  const config = `${BEHIND_PROXY}[[login]]\nname = "form"\npaths = ["/login"]\nmode = "shadow"\n`;
  const { url, proc } = await guardedShop(t, config);
  assert.deepEqual(await botnet(url, 'alice', 8), Array(8).fill(401));
  await proc.says(/would-limit=login:form:account/);
  await poll(5000, 'three of eight to be noted', () => proc.output.match(/would-limit/g).length === 3);
});

test('login = [] switches it off, and casque check says what that costs', options, async (t) => {
  const config = `login = []\n${BEHIND_PROXY}`;
  const { url, dir, proc } = await guardedShop(t, config);
  assert.deepEqual(await botnet(url, 'alice', 8), Array(8).fill(401));
  assert.equal((await logIn(url, 'alice', 'wonderland', from(9))).headers['set-cookie'].length, 1, 'the app\'s own');
  assert.match(proc.output, /logins\s+not guarded/);
  const check = casque(t, ['check', path.join(dir, 'casque.toml')], { cwd: dir });
  assert.equal((await check.exit()).code, 0);
  assert.match(check.output, /no log-in is guarded/);
});

test('a mistake under [[login]] is drawn at its place', options, async (t) => {
  const dir = await tempDir(t);
  await writeFile(path.join(dir, 'casque.toml'), '[upstream]\nurl = "http://127.0.0.1:3000"\n[[login]]\nname = "form"\npaths = ["/login"]\nbudgets = { acount = "5/1h" }\n');
  const check = casque(t, ['check'], { cwd: dir });
  assert.equal((await check.exit()).code, 1);
  assert.match(check.output, /casque\.toml:6:13/);
  assert.match(check.output, /did you mean `account`\?/);
});

// ---------------------------------------------------------------- cookies

test('the device cookie over plain http, and behind https', options, async (t) => {
  for (const [config, name, secure] of [
    ['', /^casque-d-[\w-]{8}$/, undefined],
    ['[client-ip]\nscheme = "https"\n', /^__Host-casque-d-[\w-]{8}$/, ''],
  ]) {
    const { url } = await guardedShop(t, config);
    const cookies = parseSetCookie((await logIn(url, 'alice', 'wonderland')).headers['set-cookie']);
    const [device, own] = [Object.keys(cookies).find((one) => name.test(one)), cookies.sid];
    assert.ok(device && own, Object.keys(cookies).join());
    const { attributes } = cookies[device];
    assert.deepEqual(attributes, { path: '/', 'max-age': String(180 * 86400), httponly: '', samesite: 'Lax', ...(secure === '' ? { secure } : {}) });
    assert.match(cookies[device].value, /^d1\.[\w-]+$/);
    assert.doesNotMatch(Buffer.from(cookies[device].value.slice(3), 'base64url').toString('latin1'), /alice/);
  }
});

test('cookies that are forged, copied to another account or changed make no browser known', options, async (t) => {
  const { url, asked } = await guardedShop(t);
  const [name, value] = cookieHeader(await logIn(url, 'bob', 'builder', from(1))).split('; ').find((one) => one.startsWith('casque-d-')).split('=');
  const alices = cookieHeader(await logIn(url, 'alice', 'wonderland', from(1))).match(/casque-d-[\w-]{8}/)[0];
  await botnet(url, 'alice', 5);
  const seen = asked.length;
  const flipped = `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`;
  for (const cookie of [
    `${name}=${value}`,
    `${alices}=${value}`,
    `${alices}=${flipped}`,
    `${alices}=d1.`,
    `${alices}=`,
    `${alices}=${'A'.repeat(4000)}`,
    `casque-pass=${value}`,
    `casque-pass=p1.AAAA`,
  ]) {
    assert.equal((await logIn(url, 'alice', 'wonderland', { ...from(90), Cookie: cookie })).status, 429, cookie);
  }
  assert.equal(asked.length, seen);
});

test('an account of the same name at another app behind the same gateway is another account', options, async (t) => {
  const [one, other] = [shop(), shop()];
  const [upstream, second] = await Promise.all([one, other].map(({ app }) => serve(t, (req, res) => app(req, res))));
  const config = `${BEHIND_PROXY}[[route]]\nhost = "other.example"\nupstream = "${second.url}"\n`;
  const { url, proc } = await guard(t, { upstream: upstream.url, config });
  const there = { Host: 'other.example' };
  const cookies = cookieHeader(await logIn(url, 'alice', 'wonderland', { ...from(1), ...there }));
  // Who is alice there is unknown here.
  assert.equal((await logIn(url, 'alice', 'guess', { ...from(1), Cookie: cookies })).status, 401);
  await proc.says(/login=login:failure\n/);
  assert.doesNotMatch(proc.output, /failure-known/);
  // And guesses here use up nothing there.
  await botnet(url, 'alice', 6);
  assert.equal((await logIn(url, 'alice', 'wonderland', { ...from(7), ...there })).status, 302);
});

test('a secret in a variable outlives the process, and never reaches the app', options, async (t) => {
  const { app } = shop();
  const { url: upstream } = await serve(t, (req, res) => app(req, res));
  const env = { CASQUE_SECRET: randomBytes(24).toString('hex') };
  const first = await guard(t, { upstream, config: BEHIND_PROXY, env });
  const cookies = cookieHeader(await logIn(first.url, 'alice', 'wonderland', from(1)));
  await first.proc.stop();
  const second = await guard(t, { upstream, config: BEHIND_PROXY, env });
  await botnet(second.url, 'alice', 6);
  assert.equal((await logIn(second.url, 'alice', 'wonderland', { ...from(2), Cookie: cookies })).status, 302);
  assert.ok(!second.proc.output.includes(env.CASQUE_SECRET));
});

// ---------------------------------------------------------------- tricks

test('no trick with the request line, the connection or the method leads to a fresh budget', options, async (t) => {
  const { port, url, asked } = await guardedShop(t, `limit = []\n${BEHIND_PROXY}`);
  await botnet(url, 'alice', 5);
  assert.equal(asked.length, 5);
  const body = 'username=alice&password=wonderland';
  const head = (line, extra = '') =>
    `${line}\r\nHost: shop.example\r\nX-Forwarded-For: 100.64.77.1\r\nContent-Type: application/x-www-form-urlencoded\r\n${extra}`;
  const withBody = (line, extra = '', content = body) => `${head(line, extra)}Content-Length: ${content.length}\r\n\r\n${content}`;
  const close = 'Connection: close\r\n';
  for (const [what, bytes] of [
    ['HTTP/1.0', withBody('POST /login HTTP/1.0')],
    ['absolute form', withBody('POST http://other.example/login HTTP/1.1', close)],
    ['lower-case method', withBody('post /login HTTP/1.1', close)],
    ['slashes', withBody('POST //login// HTTP/1.1', close)],
    ['parameters', withBody('POST /login;jsessionid=1 HTTP/1.1', close)],
    ['encoded', withBody('POST /%6cog%69n HTTP/1.1', close)],
    ['upper case', withBody('POST /LOGIN HTTP/1.1', close)],
    ['encoded slash', withBody('POST /%2flogin HTTP/1.1', close)],
    ['white space', withBody('POST /login%20 HTTP/1.1', close)],
    ['dots', withBody('POST /x/../login HTTP/1.1', close)],
    ['an override', withBody('PUT /login HTTP/1.1', `X-HTTP-Method-Override: POST\r\n${close}`)],
    ['an override in the query', withBody('PUT /login?_method=POST HTTP/1.1', close)],
    ['another path by header', withBody('POST /login HTTP/1.1', `X-Original-URL: /x\r\nX-Rewrite-URL: /x\r\n${close}`)],
    ['the name in the query', withBody('POST /login?username=alice HTTP/1.1', close, 'password=wonderland')],
    ['a decoy in the query', withBody('POST /login?username=nobody HTTP/1.1', close)],
    ['a decoy field', withBody('POST /login HTTP/1.1', close, `email=nobody&${body}`)],
    ['a forged hop', withBody('POST /login HTTP/1.1', `X-Forwarded-For: 198.51.100.9\r\nX-Real-IP: 198.51.100.10\r\n${close}`)],
    ['a marked Referer', withBody('POST /login HTTP/1.1', `Referer: http://shop.example/?casque-back\r\n${close}`)],
  ]) {
    const raw = await Raw.connect(t, port);
    raw.write(bytes);
    const { status } = splitHead(await raw.untilEnd());
    assert.ok([400, 429].includes(status), `${what}: ${status}`);
  }
  assert.equal(asked.length, 5, asked.slice(5).map((one) => one.path).join());
});

test('guesses in one connection, sent without waiting, are counted one by one', options, async (t) => {
  const { port, asked } = await guardedShop(t, `limit = []\n${BEHIND_PROXY}`);
  const raw = await Raw.connect(t, port);
  const guess = (n) => {
    const body = `username=alice&password=guess-${n}`;
    const last = n === 19 ? 'Connection: close\r\n' : '';
    return `POST /login HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 100.64.${n}.1\r\nContent-Type: application/x-www-form-urlencoded\r\n${last}Content-Length: ${body.length}\r\n\r\n${body}`;
  };
  raw.write(Array.from({ length: 20 }, (_, n) => guess(n)).join(''));
  const statuses = [...(await raw.untilEnd(20000)).matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
  assert.deepEqual(statuses, statuses.map((_, n) => (n < 5 ? 401 : 429)));
  assert.equal(statuses.length, 20);
  assert.equal(asked.length, 5);
});

test('guesses while the policy is reloaded over and over are as few as ever', options, async (t) => {
  const { url, asked, proc } = await guardedShop(t, `limit = []\n${BEHIND_PROXY}`);
  let over = false;
  const reloading = (async () => {
    while (!over) {
      proc.kill('SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  await botnet(url, 'alice', 100);
  over = true;
  await reloading;
  assert.equal(asked.length, 5);
});

test('who hangs up before the answer has paid', options, async (t) => {
  const { port, url, asked } = await guardedShop(t, BEHIND_PROXY);
  for (let n = 0; n < 5; n += 1) {
    const raw = await Raw.connect(t, port);
    const body = `username=alice&password=guess-${n}`;
    raw.write(`POST /login HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 100.64.${n}.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await poll(5000, 'the app to be asked', () => asked.length === n + 1);
    raw.socket.resetAndDestroy();
  }
  await poll(5000, 'the last to be given up', async () => (await logIn(url, 'alice', 'wonderland', from(50))).status === 429);
});

test('a wrong password that is sent back to where its client says it came from is a wrong one', options, async (t) => {
  const seen = [];
  const { url: upstream } = await serve(t, (req, res) => {
    req.resume();
    seen.push(req.headers.referer);
    res.writeHead(302, { Location: req.headers.referer ?? '/' }).end();
  });
  const { url } = await guard(t, { upstream, config: BEHIND_PROXY });
  for (let n = 0; n < 7; n += 1) {
    const answer = await logIn(url, 'alice', 'x', { ...from(n), Referer: `${url}/offers?page=2` });
    assert.equal(answer.status, n < 5 ? 302 : 429);
    if (n < 5) assert.equal(answer.headers.location, `${url}/offers?page=2`, 'the client sees no mark');
  }
  assert.equal(seen.length, 5);
});

// ---------------------------------------------------------------- warnings

test('a guard to which every log-in is a wrong one says so once, with the remedy', options, async (t) => {
  // 200 with a page in both cases.
  const { url: upstream } = await serve(t, (req, res) => {
    req.resume();
    res.setHeader('Content-Type', 'text/html');
    res.end('<p>hello');
  });
  // So many failures in a minute are an alarm, and with challenges the rest would not get to the app.
  const config = `limit = []\n${BEHIND_PROXY}[[login]]\nname = "door"\npaths = ["/login"]\nchallenges = false\n`;
  const { url, proc } = await guard(t, { upstream, config });
  for (let n = 0; n < 110; n += 1) await logIn(url, `person-${n}`, 'x', from(n));
  await proc.says(/warning: the login guard `door` has seen 100 log-ins and took every one for a wrong password/);
  await new Promise((resolve) => setTimeout(resolve, 2200));
  assert.equal(proc.stderr.match(/has seen 100 log-ins/g).length, 1);
});

// ---------------------------------------------------------------- other people's apps

test('the article\'s app: twenty log-ins in a row, out of the box', options, async (t) => {
  const { url, proc } = await guardedExample(t);
  for (let n = 0; n < 20; n += 1) {
    const answer = await postForm(`${url}/login`, { user: 'demo', password: 'demo-password' }, HTML);
    assert.equal(answer.status, 302, `log-in ${n}: ${answer.text}`);
  }
  await poll(5000, 'twenty to be noted', () => proc.output.match(/login=login:success/g).length === 20);
});

// ---------------------------------------------------------------- in a browser

async function openLogin(t, url, contextOptions = {}) {
  const browser = await launchChromium(t);
  const page = await (await browser.newContext(contextOptions)).newPage();
  page.setDefaultTimeout(45000);
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // What is only tried out is logged, and blocks nothing; a 429 is what is tested.
    if (message.type() === 'error' && !/report-only|429|401|favicon/.test(message.text() + message.location().url)) errors.push(message.text());
  });
  await page.goto(`${url}/login`);
  return { page, errors };
}

async function fillIn(page, name, password) {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Pictures of a page for whoever wants to look: set CASQUE_PICTURES to a folder. */
async function picture(page, name) {
  const dir = process.env.CASQUE_PICTURES;
  if (dir === undefined) return;
  for (const [colorScheme, width] of [['light', 900], ['dark', 900], ['light', 340]]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 560 });
    await page.screenshot({ path: path.join(dir, `${name}-${colorScheme}-${width}.png`) });
  }
  await page.setViewportSize({ width: 900, height: 560 });
}

test('Chromium: a new browser waits a moment, comes back to the form and gets in; then it is known', inBrowser, async (t) => {
  const { url, asked } = await guardedShop(t);
  const { page, errors } = await openLogin(t, url);
  await botnet(url, 'alice', 6);
  await fillIn(page, 'alice', 'wonderland');
  await page.getByRole('heading', CHECK).waitFor();
  assert.match(page.url(), /\/login$/);
  assert.ok(!(await page.content()).includes('wonderland'), 'what was typed is in no page');
  await picture(page, 'wait');
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  assert.equal(page.url(), `${url}/login`);
  await fillIn(page, 'alice', 'wonderland');
  await page.getByText('Hello alice').waitFor();
  const seen = asked.length;
  // Known from now on, however the attack goes on.
  await page.goto(`${url}/login`);
  await fillIn(page, 'alice', 'wonderland');
  await page.getByText('Hello alice').waitFor();
  assert.equal(asked.length, seen + 1);
  const kept = (await page.context().cookies()).filter((cookie) => cookie.name.startsWith('casque-'));
  assert.ok(kept.every((cookie) => cookie.httpOnly && cookie.sameSite === 'Lax'));
  assert.equal(await page.evaluate(() => document.cookie), '');
  assert.deepEqual(errors, []);
});

/** A browser at the form, whose address has failed three times, while alice's account is under attack. */
async function underSuspicion(t, contextOptions = {}) {
  const { url } = await guardedShop(t);
  const opened = await openLogin(t, url, contextOptions);
  for (let n = 0; n < 3; n += 1) await logIn(url, 'bob', `typo-${n}`);
  await botnet(url, 'alice', 6);
  return opened;
}

test('Chromium with script: an address that failed before works for a moment, and gets in', inBrowser, async (t) => {
  const { page, errors } = await underSuspicion(t);
  const solved = page.waitForRequest((sent) => sent.url().endsWith('/.well-known/casque/login') && /solution=\d+/.test(sent.postData() ?? ''));
  await fillIn(page, 'alice', 'wonderland');
  await solved;
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await fillIn(page, 'alice', 'wonderland');
  await page.getByText('Hello alice').waitFor();
  assert.deepEqual(errors, []);
});

test('Chromium with script: the page says what it does, and its button is a way on too', inBrowser, async (t) => {
  const { page } = await underSuspicion(t);
  // The work may be done before anybody can look; so it is not sent here.
  await page.addInitScript(() => {
    HTMLFormElement.prototype.submit = () => {};
  });
  await fillIn(page, 'alice', 'wonderland');
  await page.getByRole('heading', CHECK).waitFor();
  await page.getByText('Yours is working on a sum').waitFor();
  assert.equal(await page.getByText('which has not started here').isVisible(), false);
  await picture(page, 'work');
  await page.getByText('Done. Going back to the form.').waitFor();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Log in' }).waitFor();
});

test('Chromium without script: an address that failed before waits for half a minute, and gets in', inBrowser, async (t) => {
  const { page } = await underSuspicion(t, { javaScriptEnabled: false });
  await fillIn(page, 'alice', 'wonderland');
  await page.getByRole('heading', CHECK).waitFor();
  assert.equal(await page.getByText('Yours is working on a sum').isVisible(), false);
  await page.getByText('goes on by itself after 30 seconds').waitFor();
  await picture(page, 'work-without-script');
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await fillIn(page, 'alice', 'wonderland');
  await page.getByText('Hello alice').waitFor();
});

test('Chromium: who has used up every try reads how long to wait', inBrowser, async (t) => {
  const config = `${BEHIND_PROXY}[[login]]\nname = "form"\npaths = ["/login"]\nchallenges = false\n`;
  const { url } = await guardedShop(t, config);
  const { page } = await openLogin(t, url);
  await botnet(url, 'alice', 6);
  await fillIn(page, 'alice', 'wonderland');
  await page.getByText('too many failed log-ins').waitFor();
  await picture(page, 'refused');
});
