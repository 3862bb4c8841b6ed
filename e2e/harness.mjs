// Shared by every test file: processes, ports, sockets, temporary folders.
//
// Two rules hold for all of it. Every wait has a limit, so a hang is a failure
// and not a stuck run. Everything started or created is undone by the end of
// its test, also when the test fails or the run is interrupted.

import { spawn } from 'node:child_process';
import { constants, accessSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const HERE = path.dirname(fileURLToPath(import.meta.url));
export const EXAMPLE = path.join(HERE, '..', 'examples', 'express-article');
export const HOST = '127.0.0.1';

// ---------------------------------------------------------------- waiting

/** Fails with `what` when the promise takes longer than `ms`. */
export function within(ms, what, promise) {
  let timer;
  const limit = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing after ${ms} ms`)), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** A promise with its two ends, for events that happen in a callback. */
export function deferred() {
  const ends = {};
  ends.promise = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }));
  return ends;
}

/**
 * Only for what no event tells us: another process's port, its memory, its end.
 * Everything else in the tests awaits an event.
 */
export async function poll(ms, what, probe) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not so after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

// ---------------------------------------------------------------- cleaning up

const cleanups = new WeakMap();
const folders = new Set();
const running = new Set();

// The last resort: whatever a test left behind goes with the test process.
process.on('exit', () => {
  for (const proc of running) proc.killNow();
  for (const dir of folders) rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => process.exit(128 + os.constants.signals[signal]));
}

/** Runs `undo` when the test is over: last registered first, all of them. */
export function defer(t, undo) {
  if (!cleanups.has(t)) {
    const stack = [];
    cleanups.set(t, stack);
    t.after(async () => {
      const errors = [];
      while (stack.length > 0) {
        try {
          await stack.pop()();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    });
  }
  cleanups.get(t).push(undo);
}

/** A temporary folder that goes away with the test. */
export async function tempDir(t) {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'casque-e2e-'));
  folders.add(dir);
  defer(t, async () => {
    await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    folders.delete(dir);
  });
  return dir;
}

// ---------------------------------------------------------------- processes

function procStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces, so count from its end.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0], parent: Number(fields[1]), started: fields[19] };
  } catch {
    return null;
  }
}

/** All processes below `pid`, on Linux; elsewhere none are known. */
export function descendants(pid) {
  if (!existsSync('/proc/self/stat')) return [];
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(procStat).filter(Boolean);
  const below = (parent) =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** True while exactly this process (not a later one with its number) runs. */
export function isAlive(one) {
  const now = procStat(one.pid);
  return Boolean(now) && now.started === one.started && now.state !== 'Z';
}

/** Resident memory of a process in bytes (Linux). */
export function rss(pid) {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m);
  return Number(line[1]) * 1024;
}

/** Samples the memory of a process until `stop`, which returns the peak. */
export function watchRss(pid) {
  let peak = rss(pid);
  const sample = () => {
    peak = Math.max(peak, rss(pid));
  };
  const timer = setInterval(sample, 50);
  return {
    stop() {
      clearInterval(timer);
      sample();
      return peak;
    },
  };
}

/**
 * Our environment without what could lead a child away from this machine (a
 * proxy) or from its own settings (those that `npm test` hands down).
 */
function childEnv(extra) {
  const foreign = /^(npm_config_.*|(https?|all|no)_proxy|port)$/i;
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(own), NO_UPDATE_NOTIFIER: '1', ...extra };
}

class Proc {
  #below = new Map();

  constructor(command, args, { cwd, env, name }) {
    this.name = name ?? path.basename(command);
    this.stdout = '';
    this.stderr = '';
    this.ended = false;
    this.watchers = new Set();
    this.child = spawn(command, args, {
      cwd,
      env: childEnv(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this);
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', (error) => {
        running.delete(this);
        reject(new Error(`${this.name} could not be started: ${error.message}`));
      });
      // 'close' rather than 'exit': by then all its output has been read.
      // A grandchild that keeps the pipes open must not hold us up, though.
      this.child.once('exit', (code, signal) => {
        this.ended = true;
        const done = () => resolve({ code, signal });
        this.child.once('close', done);
        setTimeout(done, 1000).unref();
      });
    });
    this.exited.catch(() => {});
    for (const stream of ['stdout', 'stderr']) {
      this.child[stream].setEncoding('utf8').on('data', (text) => {
        this[stream] = (this[stream] + text).slice(-65536);
        for (const look of this.watchers) look();
      });
    }
  }

  get pid() {
    return this.child.pid;
  }

  get output() {
    return this.stdout + this.stderr;
  }

  kill(signal) {
    if (!this.ended) this.child.kill(signal);
  }

  /** Remembers the processes below, so they are found when this one is gone. */
  below() {
    for (const one of descendants(this.pid)) this.#below.set(one.pid, one);
    return [...this.#below.values()];
  }

  killNow() {
    if (this.pid === undefined) return;
    const below = this.ended ? [...this.#below.values()] : this.below();
    this.kill('SIGKILL');
    for (const one of below) {
      if (isAlive(one)) process.kill(one.pid, 'SIGKILL');
    }
    running.delete(this);
  }

  async stop(grace = 5000) {
    if (this.pid === undefined) return;
    if (!this.ended) {
      this.below();
      this.kill('SIGTERM');
      await within(grace, `${this.name} to end on SIGTERM`, this.exited).catch(() => {});
    }
    this.killNow();
    await within(5000, `${this.name} to end on SIGKILL`, this.exited);
  }

  exit(ms = 15000) {
    return within(ms, `exit of ${this.name}\n${this.output}`, this.exited);
  }

  /** Waits until the process has written something that matches. */
  async says(pattern, ms = 15000) {
    const found = deferred();
    const look = () => {
      const match = this.output.match(pattern);
      if (match) found.resolve(match);
    };
    this.watchers.add(look);
    look();
    try {
      return await within(ms, `${this.name} to write ${pattern}\n${this.output}`, found.promise);
    } finally {
      this.watchers.delete(look);
    }
  }
}

/** Starts a process that ends with the test. */
export function start(t, command, args, options = {}) {
  const proc = new Proc(command, args, options);
  defer(t, () => proc.stop());
  return proc;
}

// ---------------------------------------------------------------- ports

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, HOST, resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST);
    socket.once('connect', () => socket.destroy() && resolve(true));
    socket.once('error', () => resolve(false));
  });
}

/** Waits until the port accepts; gives up at once when `proc` ends before. */
export async function waitForPort(port, proc, ms = 20000) {
  await poll(ms, `${proc?.name ?? 'port'} to accept on ${port}\n${proc?.output ?? ''}`, () => {
    if (proc?.ended) throw new Error(`${proc.name} ended before it listened\n${proc.output}`);
    return accepts(port);
  });
}

// ---------------------------------------------------------------- casque

const CASQUE = path.resolve(HERE, process.env.CASQUE_BIN ?? '../target/release/casque');

/** Starts casque with exactly these arguments, ready or not. */
export function casque(t, args, options = {}) {
  try {
    accessSync(CASQUE, constants.X_OK);
  } catch {
    throw new Error('no casque binary: build it (cargo build --release) or set CASQUE_BIN');
  }
  return start(t, CASQUE, args, { name: 'casque', ...options });
}

/**
 * Starts `casque guard` on a free port and waits until it accepts.
 * `upstream` is a URL, or `command` is the app to start; `config` is the text
 * of a casque.toml. It runs in a fresh folder unless `cwd` says otherwise, so
 * no configuration lying around is picked up.
 */
export async function guard(t, { upstream, command, config, cwd, env, grade = false }) {
  const dir = await tempDir(t);
  const port = await freePort();
  const args = ['guard', '--listen', `${HOST}:${port}`];
  // A grade asks for the page, and most tests count what their app is asked for.
  if (!grade) args.push('--no-grade');
  if (upstream !== undefined) args.push('--upstream', upstream);
  if (config !== undefined) {
    const file = path.join(dir, 'casque.toml');
    await writeFile(file, config);
    args.push('--config', file);
  }
  if (command !== undefined) args.push('--', ...command);
  const proc = casque(t, args, { cwd: cwd ?? dir, env });
  await waitForPort(port, proc, 30000);
  if (command !== undefined) await answered(port, proc);
  proc.below();
  return { proc, port, dir, pid: proc.pid, url: `http://${HOST}:${port}` };
}

/** Waits for any answer, whatever it is: then the app behind runs too. */
async function answered(port, proc) {
  const first = deferred();
  const socket = net.connect(port, HOST);
  socket.once('data', first.resolve);
  socket.once('error', first.reject);
  socket.write('HEAD /is-it-there HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const ended = proc.exited.then(() => {
    throw new Error(`${proc.name} ended before its app answered\n${proc.output}`);
  });
  try {
    await within(30000, `an answer of the app behind ${proc.name}`, Promise.race([first.promise, ended]));
  } finally {
    socket.destroy();
  }
}

// ---------------------------------------------------------------- apps

/** An app inside the test process, so that a test sees its events directly. */
export async function serve(t, handler, { listen } = {}) {
  const server = handler instanceof http.Server ? handler : http.createServer(handler);
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    // A connection that a test breaks on purpose is not an error of the app.
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    if (listen) server.listen(listen, resolve);
    else server.listen(0, HOST, resolve);
  });
  defer(t, () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address();
  return { server, port, url: `http://${HOST}:${port}` };
}

/** The example app without a gateway. */
export async function bareExample(t) {
  requireExample();
  const port = await freePort();
  const proc = start(t, process.execPath, ['server.js'], {
    cwd: EXAMPLE,
    env: { PORT: String(port) },
    name: 'express-article',
  });
  await waitForPort(port, proc);
  return { proc, port, url: `http://${HOST}:${port}` };
}

/** The example app behind `casque guard -- node server.js`. */
export function guardedExample(t, config) {
  requireExample();
  return guard(t, { command: [process.execPath, 'server.js'], config, cwd: EXAMPLE });
}

function requireExample() {
  if (!existsSync(path.join(EXAMPLE, 'node_modules', 'express'))) {
    throw new Error('run `npm ci` in examples/express-article first');
  }
}

// ---------------------------------------------------------------- HTTP

/**
 * One request on its own connection. Resolves with the whole answer; rejects
 * when the answer breaks off. Unlike fetch it sends the headers as given,
 * follows nothing, decodes nothing.
 */
export function request(url, { method = 'GET', headers = {}, body, timeout = 20000 } = {}) {
  const answer = new Promise((resolve, reject) => {
    const req = http.request(url, { method, headers, agent: false });
    const informational = [];
    req.on('information', (info) => informational.push(info));
    req.once('error', reject);
    req.once('response', (res) => {
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.once('error', reject);
      res.once('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: res.statusCode,
          headers: res.headers,
          rawHeaders: res.rawHeaders,
          trailers: res.trailers,
          informational,
          bytes,
          get text() {
            return bytes.toString('utf8');
          },
          get json() {
            return JSON.parse(bytes.toString('utf8'));
          },
        });
      });
    });
    req.end(body);
  });
  return within(timeout, `${method} ${url}`, answer);
}

/** Posts a form as a browser does. */
export function postForm(url, fields, headers = {}) {
  const body = new URLSearchParams(fields).toString();
  return request(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': Buffer.byteLength(body),
      ...headers,
    },
    body,
  });
}

/** Set-Cookie fields as { name: { value, attributes } }, attributes in lower case. */
export function parseSetCookie(fields = []) {
  const cookies = {};
  for (const field of fields) {
    const [pair, ...rest] = field.split(';').map((part) => part.trim());
    const at = pair.indexOf('=');
    const attributes = {};
    for (const one of rest) {
      const [key, ...value] = one.split('=');
      attributes[key.toLowerCase()] = value.join('=');
    }
    cookies[pair.slice(0, at)] = { value: pair.slice(at + 1), attributes };
  }
  return cookies;
}

// ---------------------------------------------------------------- raw sockets

/** A client that shows the bytes as they are on the wire. */
export class Raw {
  #parts = [];
  #waiting = new Set();

  static async connect(t, port, options = {}) {
    const raw = new Raw(net.connect({ port, host: HOST, ...options }));
    defer(t, () => raw.socket.destroy());
    await within(5000, `connection to ${port}`, raw.connected);
    return raw;
  }

  constructor(socket) {
    this.socket = socket;
    this.error = null;
    this.closed = false;
    this.finished = false;
    this.connected = new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.on('data', (chunk) => {
      this.#parts.push(chunk);
      this.#look();
    });
    socket.on('end', () => {
      this.finished = true;
      this.#look();
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#look();
    });
  }

  #look() {
    for (const look of this.#waiting) look();
  }

  get bytes() {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0] ?? Buffer.alloc(0);
  }

  get text() {
    return this.bytes.toString('latin1');
  }

  write(data) {
    this.socket.write(data, 'latin1');
  }

  end(data) {
    this.socket.end(data, 'latin1');
  }

  /** Waits until what came in so far satisfies `test` (a string, a pattern, a function). */
  async until(test, ms = 10000) {
    const done = deferred();
    const matches = () => {
      if (typeof test === 'function') return test(this.text);
      return typeof test === 'string' ? this.text.includes(test) : test.test(this.text);
    };
    const look = () => {
      if (matches()) done.resolve(this.text);
      else if (this.closed) {
        done.reject(new Error(`closed before ${test}; received: ${JSON.stringify(this.text.slice(0, 2000))}`));
      }
    };
    this.#waiting.add(look);
    look();
    try {
      return await within(ms, `bytes that satisfy ${test}`, done.promise);
    } catch (error) {
      error.message += `; received: ${JSON.stringify(this.text.slice(0, 2000))}`;
      throw error;
    } finally {
      this.#waiting.delete(look);
    }
  }

  /** Waits for the peer's end (a clean end or a reset) and returns all text. */
  async untilEnd(ms = 10000) {
    const done = deferred();
    const look = () => {
      if (this.finished || this.closed) done.resolve();
    };
    this.#waiting.add(look);
    look();
    try {
      await within(ms, 'the end of the connection', done.promise);
    } finally {
      this.#waiting.delete(look);
    }
    return this.text;
  }
}

/** Splits a raw HTTP/1 answer at its first empty line. */
export function splitHead(text) {
  const at = text.indexOf('\r\n\r\n');
  const [line, ...fields] = text.slice(0, at).split('\r\n');
  const headers = {};
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { line, status: Number(line.split(' ')[1]), headers, rest: text.slice(at + 4) };
}

// ---------------------------------------------------------------- Chromium

function findChromium() {
  if (process.env.CHROMIUM_BIN) return process.env.CHROMIUM_BIN;
  for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
      const file = path.join(dir, name);
      if (existsSync(file)) return file;
    }
  }
  return null;
}

export const CHROMIUM = findChromium();

/** For a test's `skip`: false, or the reason, which is also printed once. */
export function withoutChromium(what) {
  if (CHROMIUM) return false;
  const reason = 'no chromium on PATH; install it or set CHROMIUM_BIN';
  console.log(`SKIPPED: ${what} (${reason})`);
  return reason;
}

/** A headless browser that can reach nothing but this machine. */
export async function launchChromium(t) {
  const { chromium } = await import('playwright-core');
  const home = await tempDir(t);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Its own home, so that nothing is left in the user's.
    env: { ...process.env, HOME: home, TMPDIR: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    timeout: 30000,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-proxy-server',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  });
  defer(t, () => within(10000, 'chromium to close', browser.close()));
  return browser;
}
