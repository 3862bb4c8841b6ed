// What a real browser makes of the guarded app.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import {
  bareExample,
  guardedExample,
  launchChromium,
  serve,
  tempDir,
  withoutChromium,
} from './harness.mjs';

const options = { timeout: 60000, skip: withoutChromium('browser.test.mjs, the guarded app in a real browser') };

async function openPage(t) {
  const browser = await launchChromium(t);
  const page = await browser.newPage();
  page.setDefaultTimeout(15000);
  return page;
}

/** Loads the shop and returns the errors that the page ran into. */
async function openShop(page, url) {
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // A browser asks for /favicon.ico by itself; the app has none.
    const favicon = message.location().url.endsWith('/favicon.ico');
    if (message.type() === 'error' && !favicon) errors.push(message.text());
  });
  await page.goto(url);
  await page.locator('#items li').first().waitFor();
  return errors;
}

async function logIn(page) {
  await page.getByLabel('User').fill('demo');
  await page.getByLabel('Password').fill('demo-password');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('Logged in as demo').waitFor();
}

const readable = (page) => page.evaluate(() => document.cookie);

test('bare: scripts of the page can read the second cookie', options, async (t) => {
  const { url } = await bareExample(t);
  const page = await openPage(t);
  await openShop(page, url);
  await logIn(page);
  assert.equal(await readable(page), 'user=demo');
  assert.equal(await page.locator('#cookies').textContent(), 'user=demo');
});

test('guarded: the page and its inline script work, without an error in the console', options, async (t) => {
  const { url } = await guardedExample(t);
  const page = await openPage(t);
  const errors = await openShop(page, url);
  assert.equal(await page.locator('#script').textContent(), 'script ran');
  assert.equal(await page.locator('#items li').count(), 3);
  assert.deepEqual(errors, []);
});

test('guarded: login and logout work, and no script can read a cookie', options, async (t) => {
  const { url } = await guardedExample(t);
  const page = await openPage(t);
  await openShop(page, url);
  await logIn(page);
  assert.equal(await readable(page), '');
  assert.equal(await page.locator('#cookies').textContent(), '(none)');
  const kept = await page.context().cookies();
  const names = kept.map((cookie) => cookie.name.replace(/^(casque-d-).*/, '$1'));
  assert.deepEqual(names.sort(), ['casque-d-', 'session', 'session.sig', 'user']);
  for (const cookie of kept) {
    assert.equal(cookie.httpOnly, true, cookie.name);
    assert.equal(cookie.sameSite, 'Lax', cookie.name);
  }
  await page.reload();
  await page.getByText('Logged in as demo').waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByText('Not logged in').waitFor();
  // The browser stays known to the account; nobody is logged in by that.
  const left = await page.context().cookies();
  assert.ok(left.every((cookie) => cookie.name.startsWith('casque-d-')), left.map((cookie) => cookie.name).join());
});

/** Frames the shop in a page of another origin; returns the framed text. */
async function framedText(t, shopUrl) {
  const framer = await serve(t, (req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.end(`<!doctype html><title>Another site</title><iframe src="${shopUrl}/"></iframe>`);
  });
  const page = await openPage(t);
  // Another port and another host name: another origin and another site. The
  // load event waits for the frame, be it the shop or the browser's refusal.
  await page.goto(`http://localhost:${framer.port}/`, { waitUntil: 'load' });
  const [frame] = page.mainFrame().childFrames();
  return frame.evaluate(() => document.body.innerText);
}

test('bare: a page of another origin can frame the app', options, async (t) => {
  const { url } = await bareExample(t);
  assert.match(await framedText(t, url), /Gear shop/);
});

test('guarded: a page of another origin gets a refused frame', options, async (t) => {
  const { url } = await guardedExample(t);
  assert.doesNotMatch(await framedText(t, url), /Gear shop/);
});

test('guarded: a form that another site posts does not carry the cookies', options, async (t) => {
  const { url } = await guardedExample(t);
  const page = await openPage(t);
  await openShop(page, url);
  await logIn(page);
  const attacker = await serve(t, (req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.end(`<!doctype html><form method="post" action="${url}/logout"></form><script>document.forms[0].submit()</script>`);
  });
  const posted = page.waitForRequest((request) => request.url() === `${url}/logout`);
  await page.goto(`http://localhost:${attacker.port}/`);
  const headers = await (await posted).allHeaders();
  assert.equal(headers.cookie, undefined);
});

test('guarded: a screenshot of the page is a PNG of its size', options, async (t) => {
  const { url } = await guardedExample(t);
  const page = await openPage(t);
  await page.setViewportSize({ width: 640, height: 480 });
  await openShop(page, url);
  const file = path.join(await tempDir(t), 'guarded.png');
  await page.screenshot({ path: file });
  const png = await readFile(file);
  assert.equal(png.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  assert.equal(png.subarray(12, 16).toString('latin1'), 'IHDR');
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [640, 480]);
});
