// SPDX-License-Identifier: MIT OR Unlicense
// postgres: private PostgreSQL clusters as real processes, which are stopped, killed, stalled and promoted at will.
// Each has a folder, a free port of loopback and a socket of its own; PostgreSQL refuses to run as root, so for root it
// runs as the user "postgres", or "nobody".

import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pause } from './traced.mjs';
import { ownPort, start, until } from './mnemic.mjs';

const run = promisify(execFile);

/** Where initdb and its kin lie: the newest of Debian's versions, or the PATH's; null: not installed. */
function findPrograms() {
  const versions = '/usr/lib/postgresql';
  const found = existsSync(versions) ? readdirSync(versions).map(Number).filter((n) => n >= 13).sort((a, b) => b - a) : [];
  const folders = [...found.map((n) => join(versions, `${n}`, 'bin')), ...(process.env.PATH ?? '').split(':')];
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

const PROGRAMS = findPrograms();
export const MISSING = PROGRAMS ? false : 'PostgreSQL is not installed';

/** Whom PostgreSQL runs as; null: whoever runs the tests. */
function findUser() {
  if (process.getuid() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [, , uid, gid] = execFileSync('getent', ['passwd', name], { encoding: 'utf8' }).split(':');
      return { uid: Number(uid), gid: Number(gid) };
    } catch { /* the next one */ }
  }
  throw new Error('tests that run as root need a user "postgres" or "nobody" for PostgreSQL');
}

const user = findUser();
const asUser = user ? { uid: user.uid, gid: user.gid } : {};

const call = (program, args) => run(join(PROGRAMS, program), args,
  { ...asUser, cwd: '/', maxBuffer: 1 << 28, env: { ...process.env, LC_ALL: 'C' } });

/** A folder that PostgreSQL's user owns. */
function folder() {
  const dir = mkdtempSync(join(tmpdir(), 'mnemic-pg-'));
  if (user) chownSync(dir, user.uid, user.gid);
  return dir;
}

/** A port that nobody has now; PostgreSQL cannot pick one itself. */
const freePort = () => new Promise((resolve) => {
  const port = ownPort();
  const server = net.createServer();
  server.on('error', () => resolve(freePort()));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)));
});

/** All descendants of a process, itself last. */
function family(pid) {
  let children = [];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch { /* it has ended */ }
  return [...children.flatMap(family), pid];
}

function signal(pids, name) {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

// fsync is off: processes are killed here, not the machine, and the page cache survives them.
const SETTINGS = {
  listen_addresses: '127.0.0.1', fsync: 'off', max_connections: 40, shared_buffers: '32MB', max_wal_senders: 4,
  wal_level: 'replica', hot_standby: 'on', timezone: 'UTC', log_timezone: 'UTC', lc_messages: 'C',
  log_min_messages: 'warning', log_checkpoints: 'off', max_wal_size: '256MB', wal_sender_timeout: '5s',
};

const quoted = (value) => `'${`${value}`.replaceAll("'", "''")}'`;
const lines = (settings) => Object.entries(settings).map(([name, value]) => `${name} = ${quoted(value)}\n`).join('');

let template; // a cluster that was never started: copying it is faster than initdb

async function initialised() {
  const dir = folder();
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  await call('initdb', ['-D', join(dir, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync',
    '--no-instructions', '--wal-segsize=1']);
  return join(dir, 'data');
}

export class Postgres {
  #process;

  /** A new cluster, running. `settings` go into its postgresql.conf. */
  static async create(settings = {}) {
    template ??= initialised();
    const it = new Postgres();
    await it.#place(settings);
    execFileSync('cp', ['-r', await template, it.data], asUser);
    it.#configure(settings);
    await it.start();
    return it;
  }

  /** A standby that follows this one, under the name `name`; running. */
  async standby(name) {
    const it = new Postgres();
    await it.#place();
    await call('pg_basebackup', ['-D', it.data, '-R', '-X', 'stream', '--checkpoint=fast', '--no-sync', '-d',
      `host=${this.dir} port=${this.port} user=postgres application_name=${name}`]);
    it.#configure();
    await it.start();
    await until(`${name} follows`, async () =>
      (await this.sql(`SELECT state FROM pg_stat_replication WHERE application_name = '${name}'`)) === 'streaming');
    return it;
  }

  /** From now on a commit waits for the standby of that name. */
  async synchronise(name) {
    await this.sql(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
    await this.sql('SELECT pg_reload_conf()');
    await until(`${name} is synchronous`, async () =>
      (await this.sql('SELECT sync_state FROM pg_stat_replication')) === 'sync');
  }

  async promote() {
    await this.sql('SELECT pg_promote()');
    await until('it is promoted', async () => (await this.sql('SELECT pg_is_in_recovery()')) === 'f');
  }

  async #place() {
    this.dir = folder();
    this.data = join(this.dir, 'data');
    this.port = await freePort();
  }

  #configure(settings = {}) {
    const own = { port: this.port, unix_socket_directories: this.dir };
    writeFileSync(join(this.data, 'postgresql.conf'), lines({ ...SETTINGS, ...settings, ...own }));
  }

  /** What libpq takes: over TCP, and over the socket. */
  get url() { return `postgresql://postgres@127.0.0.1:${this.port}/postgres`; }
  get socket() { return `host=${this.dir} port=${this.port} user=postgres dbname=postgres`; }

  /** Starts it, if it does not run; resolves when it takes connections. */
  async start() {
    await until('PostgreSQL starts', async () => {
      const child = start(join(PROGRAMS, 'postgres'), ['-D', this.data], { ...asUser, cwd: '/' });
      this.#process = child;
      // Of one that was killed, children may still hold the shared memory for a moment: then it ends, and is started again.
      const ready = new Promise((resolve) => child.child.stderr.on('data', () => {
        if (/ready to accept (read-only )?connections/.test(child.log())) resolve(true);
      }));
      return Promise.race([ready, child.ended.then(() => {
        if (!/pre-existing shared memory|lock file/.test(child.log())) throw new Error(child.log());
        return pause(100).then(() => false);
      })]);
    });
  }

  /** As an administrator does: sessions are cut, what is committed is on disk. */
  stop() {
    return this.#process.stop('SIGINT');
  }

  /** All of its processes at once, in the middle of what they do. */
  async kill() {
    signal(family(this.#process.child.pid), 'SIGKILL');
    await this.#process.ended;
  }

  /** Nothing answers any more, but connections stay open; until resume(). */
  pause() { signal(family(this.#process.child.pid).reverse(), 'SIGSTOP'); }
  resume() { signal(family(this.#process.child.pid), 'SIGCONT'); }

  /** The answer as text, unaligned: fields parted by |, rows by a line's end. */
  async sql(text, options = []) {
    const { stdout } = await call('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', this.socket, ...options, '-c', text]);
    return stdout.trimEnd();
  }

  /** Runs psql over a script, given as text. */
  async script(text) {
    const file = join(this.dir, 'script.sql');
    writeFileSync(file, text);
    chmodSync(file, 0o644);
    const { stdout } = await call('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', this.socket, '-f', file]);
    return stdout.trimEnd();
  }

  log() { return this.#process.log(); }

  /** Of one that was killed and not started again, the shared memory is left, whose id is the second number of line 7. */
  #forgetMemory() {
    try {
      const [, id] = readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')[6].trim().split(/ +/);
      execFileSync('ipcrm', ['-m', id], { stdio: 'ignore' });
    } catch { /* it ended in order */ }
  }

  async remove() {
    this.resume();
    await this.#process.stop('SIGQUIT');
    this.#forgetMemory();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
