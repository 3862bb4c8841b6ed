'use strict';

// A log-in form. A password check takes 100 ms, as one with a good hash does, and the app counts each one itself: what it
// counted is what an attacker got, whatever he was answered. DEFENCE says what stands in front of the check inside the app.

const { createServer } = require('node:http');
const express = require('express');
const { rateLimit } = require('express-rate-limit');
const Redis = require('ioredis');
const { RateLimiterMemory, RateLimiterRedis } = require('rate-limiter-flexible');

const { PORT, COUNTS_PORT, DEFENCE, REDIS_PORT } = process.env;
const CHECK_MS = 100;
const HOUR = 3600;
const DAY = 24 * HOUR;

const users = new Map([
  ['victim@example.org', 'correct horse'],
  ['own@example.org', 'mine'],
]);

let checked = {};
let awayUntil = 0;

// As apps do that want their users to get in: the name is taken in any case and with blanks round it.
const canonical = (name) => String(name).normalize('NFKC').trim().toLowerCase();

async function right(name, password) {
  const account = canonical(name);
  checked[account] = (checked[account] ?? 0) + 1;
  // A flood asks for no hash: it is the table that is looked at, not the processor.
  if (account.startsWith('flood')) return password === 'right';
  await new Promise((done) => setTimeout(done, CHECK_MS));
  return users.get(account) === password;
}

function answer(res, isRight) {
  if (isRight) res.cookie('sid', 'a-session', { httpOnly: true }).redirect(302, '/home');
  else res.status(401).send('Wrong name or password');
}

// The two limiters of rate-limiter-flexible's recipe for log-ins. It remembers failures for 90 days, which its store in memory
// cannot: a timer of over 24 days ends at once. There it is 20.
function limiters() {
  const days = DEFENCE === 'rlf-redis' ? 90 : 20;
  const byAddress = { keyPrefix: 'slow', points: 100, duration: DAY, blockDuration: DAY };
  const byBoth = { keyPrefix: 'both', points: 10, duration: days * DAY, blockDuration: HOUR };
  if (DEFENCE !== 'rlf-redis') return [new RateLimiterMemory(byAddress), new RateLimiterMemory(byBoth)];
  const storeClient = new Redis(Number(REDIS_PORT), '127.0.0.1');
  return [byAddress, byBoth].map((options) => new RateLimiterRedis({ storeClient, ...options }));
}

const defences = {
  // Looks at both counters, checks, and counts what failed, as the recipe is documented.
  recipe() {
    const [byAddress, byBoth] = limiters();
    return async (req, res) => {
      const both = `${req.body.username}_${req.ip}`;
      const [address, pair] = await Promise.all([byAddress.get(req.ip), byBoth.get(both)]);
      if ((address && address.consumedPoints > 100) || (pair && pair.consumedPoints > 10)) return res.sendStatus(429);
      const isRight = await right(req.body.username, req.body.password);
      if (isRight) {
        if (pair && pair.consumedPoints > 0) await byBoth.delete(both);
      } else {
        try {
          const counted = [byAddress.consume(req.ip)];
          if (users.has(canonical(req.body.username))) counted.push(byBoth.consume(both));
          await Promise.all(counted);
        } catch (refused) {
          if (refused instanceof Error) throw refused;
          return res.sendStatus(429);
        }
      }
      return answer(res, isRight);
    };
  },
  // The second of its limiters, asked before the check and given back after a right password.
  'charged first'() {
    const [, byBoth] = limiters();
    return async (req, res) => {
      const both = `${req.body.username}_${req.ip}`;
      try {
        await byBoth.consume(both);
      } catch (refused) {
        if (refused instanceof Error) throw refused;
        return res.sendStatus(429);
      }
      const isRight = await right(req.body.username, req.body.password);
      if (isRight) await byBoth.reward(both);
      return answer(res, isRight);
    };
  },
  none: () => async (req, res) => answer(res, await right(req.body.username, req.body.password)),
};

const app = express();
app.set('trust proxy', 'loopback');
app.use(express.urlencoded(), express.json());
app.use((req, res, next) => {
  if (Date.now() < awayUntil) res.sendStatus(503);
  else next();
});
if (DEFENCE === 'express-rate-limit') {
  app.use('/login', rateLimit({ windowMs: HOUR * 1000, limit: 10, skipSuccessfulRequests: true }));
}
const kind = { rlf: 'recipe', 'rlf-redis': 'recipe', 'rlf-first': 'charged first' }[DEFENCE] ?? 'none';
app.post('/login', defences[kind]());
app.get('/home', (req, res) => res.send('home'));
// What is logged would be the attack's size; answers are what counts.
app.use((error, req, res, next) => (res.headersSent ? next(error) : res.sendStatus(error.status ?? 500)));

const server = app.listen(Number(PORT), '127.0.0.1', 4096);
server.keepAliveTimeout = 300_000;
server.maxRequestsPerSocket = 0;

// Asked past every gateway: what was checked since the last time, and `/away?ms=` for an app that is not there for a while.
createServer((req, res) => {
  const url = new URL(req.url, 'http://counts');
  if (url.pathname === '/away') awayUntil = Date.now() + Number(url.searchParams.get('ms'));
  const counted = JSON.stringify(checked);
  checked = {};
  res.end(counted);
}).listen(Number(COUNTS_PORT), '127.0.0.1');
