// Decisions of rate-limiter-flexible on Redis, so many at a time, each of one of so many keys. Prints what they took as JSON.
// usage: node rlf.js URL IN_FLIGHT SECONDS KEYS
'use strict';

const Redis = require('ioredis');
const { RateLimiterRedis } = require('rate-limiter-flexible');

const [url, inFlight, seconds, keys] = [process.argv[2], ...process.argv.slice(3).map(Number)];

async function main() {
  const storeClient = new Redis(url, { enableOfflineQueue: false, lazyConnect: true });
  await storeClient.connect();
  const limiter = new RateLimiterRedis({ storeClient, points: 1e9, duration: 3600 });
  let next = 0;
  const loop = async (until) => {
    let decisions = 0;
    while (performance.now() < until) {
      next = (next + 7919) % keys;
      await limiter.consume(`192.0.2.${next}`, 1);
      decisions += 1;
    }
    return decisions;
  };
  const run = async (length) => {
    const until = performance.now() + length * 1000;
    const each = await Promise.all(Array.from({ length: inFlight }, () => loop(until)));
    return each.reduce((a, b) => a + b, 0);
  };
  await run(0.5);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const decisions = await run(seconds);
  const took = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ decisions, seconds: took, cpu: (user + system) / 1e6 }));
  storeClient.disconnect();
}

main();
