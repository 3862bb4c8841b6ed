// `casque scan` on real apps: the article's, bare and guarded, and helmet's own defaults in Express.

import assert from 'node:assert/strict';
import path from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import express from 'express';
import helmet from 'helmet';
import { bareExample, casque, guard, guardedExample, launchChromium, poll, serve, tempDir, withoutChromium } from './harness.mjs';

const options = { timeout: 60000 };

/** Runs `casque scan` and gives its exit code and what it printed. */
async function scan(t, ...args) {
  const proc = casque(t, ['scan', ...args]);
  const { code } = await proc.exited;
  return { code, out: proc.stdout, all: proc.output };
}

async function graded(t, url, ...args) {
  const { code, out, all } = await scan(t, url, '--format', 'json', ...args);
  assert.equal(code, 0, all);
  const [site] = JSON.parse(out).reports;
  return { ...site, ids: site.findings.map((finding) => finding.id) };
}

test('the article’s app gets a better grade behind casque than by itself', options, async (t) => {
  const bare = await graded(t, (await bareExample(t)).url);
  const guarded = await graded(t, (await guardedExample(t)).url);
  assert.ok(bare.score < 60, `bare ${bare.score}`);
  assert.ok(guarded.score >= bare.score + 30, `bare ${bare.score}, guarded ${guarded.score}`);
});

test('helmet’s defaults in Express: what they give is seen, and the framework’s name is gone', options, async (t) => {
  const app = express();
  app.use(helmet());
  app.get('/', (req, res) => res.send('<!doctype html><title>Helmet</title>hello'));
  const { url } = await serve(t, app);
  const site = await graded(t, url);
  assert.ok(site.score >= 90, `${site.grade} ${site.score}`);
  for (const id of ['x-content-type-options-nosniff', 'framing-limited-by-csp', 'referrer-policy-private', 'coop-implemented', 'corp-implemented']) {
    assert.ok(site.ids.includes(id), `${id}: ${site.ids.join(' ')}`);
  }
  // helmet lets inline styles through and knows no Permissions-Policy; nothing else is to be said of it.
  assert.deepEqual(site.findings.filter((finding) => finding.severity !== 'good').map((finding) => finding.id).sort(), ['csp-style-inline', 'permissions-policy-not-implemented']);
});

test('the bar: 0 above it, 1 below it, 2 when nothing answers', options, async (t) => {
  const { url } = await bareExample(t);
  assert.equal((await scan(t, url, '--min-grade', 'F')).code, 0);
  assert.equal((await scan(t, url, '--min-grade', 'A')).code, 1);
  assert.equal((await scan(t, 'http://127.0.0.1:9/')).code, 2);
});

test('what stood in the last report does not fail the build again', options, async (t) => {
  const dir = await tempDir(t);
  const { url } = await bareExample(t);
  const file = path.join(dir, 'before.json');
  assert.equal((await scan(t, url, '--format', 'json', '--output', file)).code, 0);
  assert.equal((await scan(t, url, '--baseline', file)).code, 0);
  const report = JSON.parse(await readFile(file, 'utf8'));
  report.reports[0].findings = report.reports[0].findings.filter((finding) => finding.test !== 'framing');
  await writeFile(file, JSON.stringify(report));
  assert.equal((await scan(t, url, '--baseline', file)).code, 1);
});

test('guard tells the grade of its app at start, bare and guarded', options, async (t) => {
  const { url } = await bareExample(t);
  const { proc } = await guard(t, { upstream: url, grade: true });
  await poll(15000, 'the grades', () => /grade +\S+ \(\d+ points\) bare, \S+ \(\d+ points\) guarded/.test(proc.output));
});

test('the HTML report runs nothing and shows evil text as text', { ...options, skip: withoutChromium('scan.test.mjs, the HTML report in a browser') }, async (t) => {
  const dir = await tempDir(t);
  const { url } = await serve(t, (req, res) => {
    res.setHeader('X-Powered-By', '<script>document.title = "owned"</script><img src=x onerror="document.title=1">');
    res.setHeader('Content-Type', 'text/html');
    res.end('<!doctype html>');
  });
  const file = path.join(dir, 'report.html');
  assert.equal((await scan(t, url, '--format', 'html', '--output', file)).code, 0);
  const page = await (await launchChromium(t)).newPage();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`file://${file}`);
  assert.doesNotMatch(await page.title(), /owned|^1$/);
  assert.match(await page.locator('body').innerText(), /document\.title/);
  assert.equal(asked.length, 1);
});
