// SPDX-License-Identifier: MIT OR Unlicense
// proxy: stands between traced programs and the server, and loses, doubles, delays and so reorders datagrams, in both
// directions; what becomes of the nth datagram is decided by a seed.

import dgram from 'node:dgram';

/** Random numbers in [0, 1) that a seed decides: mulberry32. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns a UDP socket of loopback, bound to that port or one of the kernel's choice. */
export function socket(port = 0) {
  return new Promise((resolve, reject) => {
    const it = dgram.createSocket('udp4');
    it.once('error', reject);
    it.bind(port, '127.0.0.1', () => resolve(it));
  });
}

export class Proxy {
  /** What happens on the way: chances, and ms; may be set while it runs. */
  loss = 0;
  twice = 0;
  delay = 0;
  jitter = 0;
  /** The port to which the nth datagram of the programs goes; may be set while it runs. */
  route = null;
  /** If it is an array: what came from the programs is added, once it is on its way. */
  record = null;
  /** What has happened: datagrams. */
  count = { passed: 0, lost: 0, doubled: 0 };

  #random;
  #front;
  #ways = new Map(); // a program's address → the promise of the socket that speaks to the server for it
  #timers = new Set();

  static async open(serverPort, seed, conditions = {}) {
    const proxy = Object.assign(new Proxy(), { route: () => serverPort }, conditions);
    proxy.#random = generator(seed);
    proxy.#front = await socket();
    proxy.port = proxy.#front.address().port;
    let n = 0;
    proxy.#front.on('message', (bytes, from) => {
      const port = proxy.route(n++);
      proxy.#pass(async () =>
        (await proxy.#way(from)).send(bytes, port, '127.0.0.1', () => proxy.record?.push(bytes)));
    });
    return proxy;
  }

  /** From now on the server sees the programs at other addresses; what it still sends to the old ones is lost. */
  move() {
    for (const way of this.#ways.values()) way.then((it) => it.close());
    this.#ways.clear();
  }

  close() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.move();
    this.#front.close();
  }

  #way(from) {
    const key = `${from.address}:${from.port}`;
    if (!this.#ways.has(key)) {
      this.#ways.set(key, socket().then((it) => it.on('message', (bytes) =>
        this.#pass(() => this.#front.send(bytes, from.port, from.address, () => {})))));
    }
    return this.#ways.get(key);
  }

  #pass(send) {
    if (this.#random() < this.loss) {
      this.count.lost++;
      return;
    }
    const copies = this.#random() < this.twice ? 2 : 1;
    this.count.passed++;
    this.count.doubled += copies - 1;
    for (let i = 0; i < copies; i++) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        send();
      }, this.delay + this.#random() * this.jitter);
      this.#timers.add(timer);
    }
  }
}
