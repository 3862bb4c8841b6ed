// Headers as apps and browsers meet them: nonces, profiles, reports, other sites' requests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Raw, freePort, guard, launchChromium, poll, request, serve, splitHead, withoutChromium } from './harness.mjs';

const options = { timeout: 60000 };
const browserOptions = { ...options, skip: withoutChromium('headers.test.mjs, policies in a real browser') };

const NONCED = `[headers]
content-security-policy = ["default-src 'self'", "script-src 'nonce' 'strict-dynamic'", "base-uri 'none'", "object-src 'none'"]
`;

/** A page that prints its nonce as a template would, and what a visitor wrote without a look. */
function page(req, res) {
  const nonce = req.headers['casque-csp-nonce'];
  const written = new URL(req.url, 'http://app').searchParams.get('comment') ?? '';
  res.setHeader('Content-Type', 'text/html');
  res.setHeader('Cache-Control', 'public, max-age=600');
  res.setHeader('ETag', '"1"');
  if (req.headers['if-none-match'] === '"1"') {
    res.statusCode = 304;
    return res.end();
  }
  res.end(`<!doctype html><title>Shop</title><p id="own">waiting</p><p id="theirs">safe</p>
    <script nonce="${nonce}">document.getElementById('own').textContent = 'ran'</script>
    <div>${written}</div>`);
}

const INJECTED = `<script>document.getElementById('theirs').textContent = 'owned'</script>`;

async function nonced(t, more = '') {
  const seen = [];
  const app = await serve(t, (req, res) => {
    seen.push(req.headers);
    page(req, res);
  });
  return { seen, ...(await guard(t, { upstream: app.url, config: NONCED + more })) };
}

// ---------------------------------------------------------------- nonces

test('a nonce is fresh for every response, told to the app in two fields, and its page is kept by nobody', options, async (t) => {
  const { url, seen } = await nonced(t);
  const answers = [await request(`${url}/`), await request(`${url}/`)];
  const nonces = answers.map((answer) => /'nonce-([\w-]{24})'/.exec(answer.headers['content-security-policy'])[1]);
  assert.notEqual(nonces[0], nonces[1]);
  for (const [i, nonce] of nonces.entries()) {
    assert.equal(seen[i]['casque-csp-nonce'], nonce);
    assert.ok(seen[i]['content-security-policy'].includes(`'nonce-${nonce}'`));
    assert.ok(answers[i].text.includes(`nonce="${nonce}"`));
    assert.equal(answers[i].headers['cache-control'], 'private, no-store');
  }
});

test('what a client sends under the names of the nonce reaches no app', options, async (t) => {
  const forged = { 'casque-csp-nonce': 'mine', 'content-security-policy': "script-src 'nonce-mine'", 'casque_csp_nonce': 'mine' };
  const { url, seen } = await nonced(t);
  await request(`${url}/`, { headers: forged });
  assert.match(seen[0]['casque-csp-nonce'], /^[\w-]{24}$/);
  assert.doesNotMatch(JSON.stringify(seen[0]), /mine/);
  const plainSeen = [];
  const app = await serve(t, (req, res) => {
    plainSeen.push(req.headers);
    res.end();
  });
  const plain = await guard(t, { upstream: app.url });
  await request(`${plain.url}/`, { headers: forged });
  assert.doesNotMatch(JSON.stringify(plainSeen[0]), /mine/);
});

test('a page is asked for without conditions, an asset keeps them, and a 304 carries no policy', options, async (t) => {
  const { url } = await nonced(t);
  const conditional = { 'if-none-match': '"1"' };
  const navigation = await request(`${url}/`, { headers: { ...conditional, 'sec-fetch-dest': 'document' } });
  assert.equal(navigation.status, 200);
  const asset = await request(`${url}/`, { headers: { ...conditional, 'sec-fetch-dest': 'script' } });
  assert.equal(asset.status, 304);
  assert.equal(asset.headers['content-security-policy'], undefined);
  assert.equal(asset.headers['content-security-policy-report-only'], undefined);
});

// ---------------------------------------------------------------- in a browser

async function open(t) {
  const browser = await launchChromium(t);
  const page = await browser.newPage();
  page.setDefaultTimeout(15000);
  return page;
}

test('in Chromium the page’s own script runs, an injected one does not, and the report of it is counted', browserOptions, async (t) => {
  const adminPort = await freePort();
  const { url } = await nonced(t, `[admin]\nlisten = "127.0.0.1:${adminPort}"\n`);
  const tab = await open(t);
  const path = `/?comment=${encodeURIComponent(INJECTED)}`;
  await tab.goto(`${url}${path}`);
  assert.equal(await tab.locator('#own').textContent(), 'ran');
  assert.equal(await tab.locator('#theirs').textContent(), 'safe');
  const reports = await poll(15000, 'the violation report', async () => {
    const { text } = await request(`http://127.0.0.1:${adminPort}/reports.json`);
    const all = JSON.parse(text);
    return all.groups.length > 0 && all;
  });
  const [group] = reports.groups;
  assert.equal(group.directive, 'script-src-elem');
  assert.equal(group.blocked.class, 'inline');
  assert.equal(group.path, '/');
  assert.ok(group.enforced >= 1);
  // The query holds what the visitor wrote; it is not kept.
  assert.doesNotMatch(JSON.stringify(reports), /comment=/);
  await tab.goto(`http://127.0.0.1:${adminPort}/`);
  assert.match(await tab.locator('table').first().innerText(), /script-src-elem/);
});

test('bare: the same injected script runs', browserOptions, async (t) => {
  const app = await serve(t, page);
  const tab = await open(t);
  await tab.goto(`${app.url}/?comment=${encodeURIComponent(INJECTED)}`);
  assert.equal(await tab.locator('#theirs').textContent(), 'owned');
});

test('in Chromium another site’s form and image are refused, its link is not', browserOptions, async (t) => {
  const seen = [];
  const app = await serve(t, (req, res) => {
    seen.push(`${req.method} ${req.url}`);
    res.setHeader('Content-Type', 'text/html');
    // No favicon, or the browser asks for one.
    res.end(`<!doctype html><link rel="icon" href="data:,"><p id="reached">${req.method}</p>`);
  });
  const { url } = await guard(t, { upstream: app.url, config: '[fetch-metadata]\nmode = "enforce"\n' });
  const attacker = await serve(t, (req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.end(`<!doctype html><a href="${url}/">link</a><form method="post" action="${url}/transfer"><button>send</button></form>`);
  });
  const elsewhere = `http://localhost:${attacker.port}/`;
  const tab = await open(t);
  await tab.goto(elsewhere);
  const [posted] = await Promise.all([tab.waitForResponse(`${url}/transfer`), tab.getByRole('button').click()]);
  assert.equal(posted.status(), 403);
  await tab.goto(elsewhere);
  await tab.getByRole('link').click();
  assert.equal(await tab.locator('#reached').textContent(), 'GET');
  await tab.goto(elsewhere);
  const loaded = (src) =>
    tab.evaluate((src) => new Promise((resolve) => Object.assign(new Image(), { onload: () => resolve(true), onerror: () => resolve(false), src })), src);
  assert.equal(await loaded(`${url}/private.png`), false);
  assert.deepEqual(seen, ['GET /']);
});

// ---------------------------------------------------------------- reports

const REPORT = JSON.stringify({ 'csp-report': { 'document-uri': 'http://127.0.0.1/cart', 'blocked-uri': 'inline', 'effective-directive': 'script-src' } });

test('the endpoint answers everything with 204, and the app never hears of it', options, async (t) => {
  const seen = [];
  const app = await serve(t, (req, res) => {
    seen.push(req.url);
    res.end();
  });
  const adminPort = await freePort();
  const { url } = await guard(t, { upstream: app.url, config: `[admin]\nlisten = "127.0.0.1:${adminPort}"\n` });
  const post = (body, type = 'application/csp-report') =>
    request(`${url}/_casque/reports`, { method: 'POST', headers: { 'content-type': type, 'content-length': Buffer.byteLength(body) }, body });
  for (const body of [REPORT, '{', '[]', '['.repeat(60000), 'x'.repeat(70000), '<script>']) {
    const answer = await post(body);
    assert.equal(answer.status, 204, body.slice(0, 20));
  }
  // A flood costs its sender neither his limits nor the gateway its memory.
  for (let i = 0; i < 400; i++) assert.equal((await post(REPORT)).status, 204);
  assert.equal((await request(`${url}/page`)).status, 200);
  assert.deepEqual(seen, ['/page']);
  const { text } = await request(`http://127.0.0.1:${adminPort}/reports.json`);
  const { refused, groups } = JSON.parse(text);
  assert.ok(groups[0].count >= 100 && refused['client-rate'] >= 200, text);
  assert.ok(refused['too-large'] >= 1 && refused['not-json'] >= 1, text);
  assert.equal((await request(`${url}/_casque/reports`)).status, 405);
});

test('the operator’s pages answer only to their own address', options, async (t) => {
  const app = await serve(t, (req, res) => res.end());
  const adminPort = await freePort();
  await guard(t, { upstream: app.url, config: `[admin]\nlisten = "127.0.0.1:${adminPort}"\n` });
  const ask = async (host) => {
    const raw = await Raw.connect(t, adminPort);
    raw.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return splitHead(await raw.untilEnd());
  };
  assert.equal((await ask(`127.0.0.1:${adminPort}`)).status, 200);
  assert.equal((await ask('rebound.example')).status, 403);
});

// ---------------------------------------------------------------- profiles

const PROFILES = `[headers]
[[headers.profile]]
name = "embed"
paths = ["/embed/*"]
x-frame-options = false
content-security-policy = "frame-ancestors https://partner.example"
[[headers.profile]]
name = "logout"
paths = ["/logout"]
methods = ["POST"]
clear-site-data = ["cookies", "storage"]
[[headers.profile]]
name = "vault"
preset = "strict"
[reports]
enabled = false
[client-ip]
scheme = "https"
`;

test('profiles go by path and method, or by the app’s word, which the client never sees', options, async (t) => {
  const app = await serve(t, (req, res) => {
    res.setHeader('Content-Type', 'text/html');
    if (req.url === '/vault') res.setHeader('casque-profile', 'vault');
    if (req.url === '/map') res.setHeader('casque-csp-add', 'img-src https://tiles.example');
    res.end('<!doctype html>');
  });
  const { url } = await guard(t, { upstream: app.url, config: PROFILES });
  const of = async (path, method) => (await request(url + path, { method, headers: { host: 'shop.example', 'content-length': 0 } })).headers;
  const embed = await of('/embed/map');
  assert.equal(embed['content-security-policy'], 'frame-ancestors https://partner.example');
  assert.equal(embed['x-frame-options'], undefined);
  assert.equal((await of('/'))['x-frame-options'], 'SAMEORIGIN');
  assert.equal((await of('/logout', 'POST'))['clear-site-data'], '"cookies", "storage"');
  assert.equal((await of('/logout'))['clear-site-data'], undefined);
  const vault = await of('/vault');
  assert.equal(vault['x-frame-options'], 'DENY');
  assert.equal(vault['casque-profile'], undefined);
  // Nothing of `map` is restricted by the balanced policy, so there is nothing to add to; and the word goes no further.
  assert.equal((await of('/map'))['casque-csp-add'], undefined);
});

test('an error page’s own policy, stricter than ours, is left alone', options, async (t) => {
  const app = await serve(t, (req, res) => {
    res.statusCode = 404;
    res.setHeader('Content-Type', 'text/html');
    res.setHeader('Content-Security-Policy', "default-src 'none'");
    res.end('not here');
  });
  const config = `[headers]\ncontent-security-policy = { value = "default-src 'self'; object-src 'none'", mode = "override" }\n`;
  const { url } = await guard(t, { upstream: app.url, config });
  assert.equal((await request(`${url}/x`)).headers['content-security-policy'], "default-src 'none'");
});

test('a response that sets a cookie is not for shared caches', options, async (t) => {
  const app = await serve(t, (req, res) => {
    res.setHeader('Set-Cookie', 'sid=1');
    res.end('hello');
  });
  const { url } = await guard(t, { upstream: app.url });
  assert.equal((await request(`${url}/`)).headers['cache-control'], 'private, no-cache');
});
