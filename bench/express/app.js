'use strict';

// An Express app with as much of the in-app security stack as POLICY asks for: 0 none, 1 + helmet, 2 + a rate limit
// for each address, 3 + a signed session cookie. LIMIT is how many requests a second one address may make.

const cookieSession = require('cookie-session');
const express = require('express');
const helmet = require('helmet');
const { RateLimiterMemory } = require('rate-limiter-flexible');

const policy = Number(process.env.POLICY);
const points = Number(process.env.LIMIT);
const port = Number(process.env.PORT);

const BODY_BYTES = 1000;
const items = [];
while (JSON.stringify({ items }).length < BODY_BYTES) items.push({ id: items.length, name: `item-${items.length}` });

const app = express();
// A Secure cookie is only set on a request that came over HTTPS, which here a header says.
app.set('trust proxy', 'loopback');

if (policy >= 1) app.use(helmet());

if (policy >= 2) {
  const limiter = new RateLimiterMemory({ points, duration: 1 });
  app.use((req, res, next) => {
    limiter.consume(req.ip).then(
      () => next(),
      () => res.status(429).send('Too Many Requests'),
    );
  });
}

if (policy >= 3) {
  app.use(
    cookieSession({
      name: 'session',
      keys: ['a key for measurements only', 'an older key for measurements only'],
      maxAge: 3600 * 1000,
      secure: true,
      httpOnly: true,
      sameSite: 'lax',
    }),
  );
  app.get('/cookie', (req, res) => {
    req.session.user = 42;
    res.json({ items });
  });
}

app.get('/api/items', (req, res) => res.json({ items }));

// One socket carries a whole run, and the idle ones are held while memory is read.
const server = app.listen(port, '127.0.0.1', 4096);
server.keepAliveTimeout = 300_000;
server.maxRequestsPerSocket = 0;
