'use strict';
(() => {
  const at = (id) => document.getElementById(id);
  const form = at('check'), idle = at('idle'), work = at('work'), bar = at('bar'), say = at('say'), go = at('go');
  const bits = Number(form.dataset.bits), patience = Number(form.dataset.wait) * 1000 + 1000;
  const text = form.elements.token.value + '.', tail = text.length & 63, whole = text.length - tail;

  // SHA-256 (FIPS 180-4) over the token once and over the number each time. WebCrypto is missing on plain HTTP.
  const K = new Int32Array(64), first = new Int32Array(8), state = new Int32Array(8), W = new Int32Array(64);
  for (let n = 2, count = 0; count < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (count < 8) first[count] = Math.floor(Math.sqrt(n) % 1 * 4294967296);
    K[count++] = Math.floor(Math.cbrt(n) % 1 * 4294967296);
  }
  const buffer = new DataView(new ArrayBuffer(128));
  const block = (from) => {
    for (let i = 0; i < 16; i++) W[i] = buffer.getInt32(from + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = W[i - 15], y = W[i - 2];
      W[i] = W[i - 16] + W[i - 7]
        + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i++) {
      const t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i] + W[i] | 0;
      const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
      h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  };
  const put = (string, from, to) => {
    for (let i = 0; i < string.length; i++) buffer.setUint8(from + i, string.charCodeAt(i));
    for (let i = from + string.length; i < to; i++) buffer.setUint8(i, 0);
  };
  state.set(first);
  for (let i = 0; i < whole; i += 64) {
    put(text.slice(i, i + 64), 0, 64);
    block(0);
  }
  const middle = state.slice();
  put(text.slice(whole), 0, 128);
  let width = 0;
  const zeros = (number) => {
    const digits = String(number) + '\x80', end = tail + digits.length, size = end < 57 ? 64 : 128;
    if (digits.length === width) {
      put(digits, tail, 0);
    } else {
      width = digits.length;
      put(digits, tail, size);
      buffer.setUint32(size - 4, (whole + end - 1) * 8);
    }
    for (let i = 0; i < 8; i++) state[i] = middle[i];
    for (let i = 0; i < size; i += 64) block(i);
    return Math.clz32(state[0]);
  };

  // In slices of 20 ms, so that the page stays responsive; a channel is not slowed down in the background as timers are.
  const began = performance.now(), channel = new MessageChannel();
  let number = 0, drawn = 0;
  const finish = (solution) => {
    form.elements.solution.value = solution;
    bar.value = 1;
    say.textContent = 'Done. Going back to the form.';
    go.hidden = false;
    form.submit();
  };
  channel.port1.onmessage = () => {
    const start = performance.now();
    if (start - began > patience) return finish('');
    do {
      for (let i = 0; i < 256; i++, number++) if (zeros(number) >= bits) return finish(number);
    } while (performance.now() - start < 20);
    if (start - drawn > 250) {
      drawn = start;
      bar.value = 1 - Math.exp(-number / 2 ** bits);
    }
    channel.port2.postMessage(0);
  };
  idle.hidden = go.hidden = true;
  work.hidden = false;
  say.textContent = 'Checking your browser.';
  channel.port2.postMessage(0);
})();
