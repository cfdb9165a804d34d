// SPDX-License-Identifier: MIT OR Unlicense
// mnemic: helpers that start the real server in a folder of its own, and send it the datagrams of the original's format.

import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const MNEMIC = process.env.MNEMIC ?? join(ROOT, 'build/mnemic');
export const HELLO = process.env.HELLO ?? join(ROOT, 'build/examples/hello');
export const PATIENCE = 60_000; // ms, for whatever takes a moment on an idle machine

/** Resolves with what `probe` returns once that is not false; fails, saying what it waited for, after a long while (ms). */
export async function until(what, probe, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const result = await probe();
    if (result) return result;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A child process; `stop` ends it, if it has not ended by itself, and resolves with its exit code, as `ended` does: when all is
 *  read that it said, which may take a moment longer than it lives. What children of its own go on to say is not waited for. */
export function start(command, args = [], options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let log = '';
  child.stderr.on('data', (text) => { log += text; });
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      const late = setTimeout(() => resolve(code ?? signal), 1000);
      child.on('close', () => {
        clearTimeout(late);
        resolve(code ?? signal);
      });
    });
  });
  ended.catch(() => {});
  const stop = (signal = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return ended;
  };
  return { child, ended, stop, log: () => log };
}

/** A port below those that the kernel gives away: it stays free for whoever comes back to it. */
export const ownPort = () => 13_000 + Math.floor(Math.random() * 7000); // postgres.sh has those from 20,000 on

/** A server on ports of its own, with SQLite; or with the ports, store and further arguments of `like`: an earlier one that
 *  has ended, or some of { udp, http, dir, store, args }. */
export async function startMnemic(like) {
  const dir = like?.dir ?? mkdtempSync(join(tmpdir(), 'mnemic-e2e-'));
  for (let i = 0; ; i++) {
    try {
      return await startOn({ ...like, dir, udp: like?.udp ?? ownPort(), http: like?.http ?? ownPort() });
    } catch (error) {
      if (i === 20 || (like?.udp && like?.http) || !/Address already in use/.test(error.message)) throw error;
    }
  }
}

async function startOn(like) {
  const { dir } = like;
  const server = start(MNEMIC, ['--store', like.store ?? `sqlite:${join(dir, 'store.db')}`,
    '--udp', `127.0.0.1:${like.udp}`, '--http', `127.0.0.1:${like.http}`, ...(like.args ?? [])]);
  const said = {};
  const lines = createInterface({ input: server.child.stdout });
  await Promise.race([
    new Promise((resolve) => lines.on('line', (line) => {
      const [, kind, port] = /^(udp|http).*:(\d+)\/?$/.exec(line) ?? [];
      if (kind) said[kind] = Number(port);
      if (said.udp && said.http) resolve();
    })),
    server.ended.then((code) => { throw new Error(`mnemic ended with ${code}: ${server.log()}`); }),
  ]);
  const url = `http://127.0.0.1:${said.http}/`;
  return {
    ...server, ...said, dir, url, store: like.store, args: like.args,
    get: async (path) => (await fetch(new URL(path, url))).json(),
    /** Fails if it had ended, or ends, otherwise than it was told to. */
    remove: async () => {
      const code = await server.stop();
      rmSync(dir, { recursive: true, force: true });
      if (code !== 0 && code !== 'SIGKILL') throw new Error(`mnemic ended with ${code}: ${server.log()}`);
    },
  };
}

/** A traced program as the Python original's client would be, with the keys that it may add: time, seq, marks, end. */
export class Program {
  constructor(server, columns, more = {}) {
    this.server = server;
    this.columns = columns;
    this.more = { app_name: 'hello-world', interval: 1, ...more };
    this.uuid = randomUUID();
    this.seq = 0;
    this.socket = dgram.createSocket('udp4').unref(); // a test that failed before it closed this must end all the same
  }

  send(message) {
    const bytes = Buffer.from(JSON.stringify({ ...message, uuid: this.uuid }));
    return new Promise((resolve, reject) => {
      this.socket.send(bytes, this.server.udp, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Says again and again that it is there: a run that is silent for 15 s counts as lost. */
  async live(time) {
    await this.announce(time);
    this.heart = setInterval(() => this.announce(time), 3000).unref();
  }

  announce(time = Date.now()) {
    return this.send({ msg_type: 'create_trace_run', column_names: this.columns, time: time * 1e6, ...this.more });
  }

  /** `time` in ms. */
  row(values, time = Date.now(), more = {}) {
    return this.send({ msg_type: 'row', row_data: values, time: time * 1e6, seq: this.seq++, ...more });
  }

  /** Rows a second apart, the last of them now: values(i) of the ith; `skip(i)` are lost on the way.
   *  In bursts that a small socket buffer takes. */
  async history(count, values, { skip = () => false, end = Date.now() } = {}) {
    for (let i = 0; i < count; i++) {
      if (skip(i)) this.seq++;
      else await this.row(values(i), end - (count - 1 - i) * 1000);
      if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** What the server has stored of this run. */
  async stored() {
    const apps = await this.server.get('/api/v1/apps');
    return apps.flatMap((a) => a.runs).find((r) => r.id === this.uuid);
  }

  close() {
    clearInterval(this.heart);
    this.socket.close();
  }
}
