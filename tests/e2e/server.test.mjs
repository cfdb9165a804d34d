// SPDX-License-Identifier: MIT OR Unlicense
// The program mnemic: how it starts, what it says, how it ends, and what is left then; HTTP/2, TLS and tokens.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Program, ROOT, start, startMnemic, until } from './mnemic.mjs';

const MNEMIC = process.env.MNEMIC ?? join(ROOT, 'build/mnemic');
let dir;

before(() => { dir = mkdtempSync(join(tmpdir(), 'mnemic-server-')); });
after(() => rmSync(dir, { recursive: true, force: true }));

/** Runs mnemic to its end: { code, out, log }. */
async function run(args, env = {}) {
  const child = start(MNEMIC, args, { cwd: dir, env: { ...process.env, ...env } });
  let out = '';
  child.child.stdout.on('data', (text) => { out += text; });
  const code = await child.ended;
  return { code, out, log: child.log() };
}

const metric = async (server, name) => {
  const text = await (await fetch(new URL('/metrics', server.url))).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)[1]);
};

// ---- the command line ----

test('version and help', async () => {
  const version = /DOLON_VERSION *"(.*)"/.exec(readFileSync(join(ROOT, 'dolon.h'), 'utf8'))[1];
  assert.deepEqual(await run(['version']), { code: 0, out: `mnemic ${version}\n`, log: '' });
  const help = await run(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /--token-file/);
});

test('a usage error ends with 2 and one clear line', async () => {
  for (const [args, says] of [
    [['--stroe', 'x'], /--stroe/], [['--udp'], /--udp needs a value/], [['start'], /'start'/],
    [['--http', 'localhost'], /ADDR:PORT/], [['--tls-cert', 'c'], /--tls-key/], [['--log-level', 'x'], /'x'/],
  ]) {
    const { code, out, log } = await run(args);
    assert.equal(code, 2, log);
    assert.equal(out, '');
    assert.match(log, /^mnemic: [^\n]+\n$/);
    assert.match(log, says);
  }
  assert.equal((await run([], { FRONT_END_PORT: 'x' })).code, 2);
});

test('what cannot be opened ends with 1 and one clear line', async () => {
  const free = ['--udp', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  for (const [args, says] of [
    [[...free, '--store', 'sqlite:/nonexistent/x.db'], /\/nonexistent/],
    [[...free, '--store', 'postgresql://localhost/x?nonsense=1'], /URL cannot be read/],
    [[...free, '--store', 'nonsense'], /neither of the form sqlite:FILE/],
    [[...free, '--token-file', '/nonexistent/token'], /\/nonexistent\/token/],
    [[...free, '--key-file', '/nonexistent/key'], /\/nonexistent\/key/],
    [[...free, '--tls-cert', '/nonexistent/c', '--tls-key', '/nonexistent/k'], /\/nonexistent\/c.*No such file/],
    [['--udp', 'no.such.host.invalid:1', '--http', '127.0.0.1:0'], /no\.such\.host\.invalid/],
  ]) {
    const { code, out, log } = await run(args);
    assert.equal(code, 1, log);
    assert.equal(out, '');
    assert.match(log, /^mnemic: [^\n]+\n$/);
    assert.match(log, says);
  }
});

test('a port in use is told', async () => {
  const server = await startMnemic();
  for (const args of [['--udp', `127.0.0.1:${server.udp}`, '--http', '127.0.0.1:0'],
    ['--udp', '127.0.0.1:0', '--http', `127.0.0.1:${server.http}`]]) {
    const { code, log } = await run(['--store', 'sqlite:other.db', ...args]);
    assert.equal(code, 1);
    assert.match(log, /^mnemic: [^\n]*in use[^\n]*\n$/i);
  }
  assert.equal((await fetch(new URL('/readyz', server.url))).status, 200);
  await server.remove();
});

// ---- the end, and what is left ----

test('SIGTERM and SIGINT write what came and end with 0', async () => {
  let server = await startMnemic();
  const program = new Program(server, ['n']);
  await program.announce();
  for (const [signal, rows] of [['SIGTERM', 100], ['SIGINT', 200]]) {
    program.server = server;
    for (let i = 0; i < 100; i++) await program.row([i]);
    await until('the datagrams are in', async () => (await metric(server, 'mnemic_datagrams_total')) >= 100);
    assert.equal(await server.stop(signal), 0, server.log());
    server = await startMnemic(server);
    assert.equal((await program.stored()).rows, rows);
  }
  program.close();
  await server.remove();
});

test('after SIGKILL what was readable is there, and the run goes on', async () => {
  let server = await startMnemic();
  const program = new Program(server, ['n']);
  await program.announce();
  for (let i = 0; i < 50; i++) await program.row([i]);
  await until('the rows are stored', async () => (await program.stored())?.rows === 50);
  assert.equal(await server.stop('SIGKILL'), 'SIGKILL');
  server = await startMnemic(server);
  program.server = server;
  assert.equal((await program.stored()).rows, 50);
  for (let i = 50; i < 60; i++) await program.row([i]); // no announcement: the store knows the run
  await until('the run goes on', async () => (await program.stored()).rows === 60);
  const csv = await (await fetch(new URL(`/api/v1/runs/${program.uuid}.csv`, server.url))).text();
  const values = csv.trim().split('\r\n').slice(1).map((line) => Number(line.split(',')[2]));
  assert.deepEqual(values, Array.from({ length: 60 }, (_, i) => i));
  program.close();
  await server.remove();
});

test('an idle server is small', async () => {
  const server = await startMnemic();
  await fetch(server.url);
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]);
  assert.ok(kilobytes <= 20 * 1024, `${kilobytes} kB`);
  await server.remove();
});

// ---- clients that go ----

test('streams and downloads that are cut off leave nothing', async () => {
  const server = await startMnemic();
  const program = new Program(server, ['n']);
  await program.announce();
  await program.history(20000, (i) => [i / 3]);
  await until('rows are stored', async () => (await program.stored())?.rows >= 10000);
  const requests = [];
  for (let i = 0; i < 20; i++)
    for (const rest of ['/live', '.csv'])
      requests.push(http.get(new URL(`/api/v1/runs/${program.uuid}${rest}`, server.url), (answer) => answer.pause()));
  for (const request of requests) request.on('error', () => {});
  await until('the streams are open', async () => (await metric(server, 'mnemic_http_streams')) === 20);
  for (const request of requests) request.destroy();
  await until('they are gone', async () => (await metric(server, 'mnemic_http_streams')) === 0
    && (await metric(server, 'mnemic_http_downloads')) === 0);
  program.close();
  await server.remove();
});

// ---- HTTP/2 ----

/** { status, body } */
const ask2 = (session, headers) => new Promise((resolve, reject) => {
  const stream = session.request(headers);
  let status, body = '';
  stream.on('response', (head) => { status = head[':status']; });
  stream.on('data', (text) => { body += text; });
  stream.on('end', () => resolve({ status, body }));
  stream.on('error', reject);
});

test('HTTP/2 without TLS: answers, a stream, a download, many at once', async () => {
  const server = await startMnemic();
  const program = new Program(server, ['n']);
  await program.announce();
  await program.history(3000, (i) => [i]);
  await until('rows are stored', async () => (await program.stored())?.rows === 3000);
  const session = http2.connect(server.url);
  const path = `/api/v1/runs/${program.uuid}`;
  const live = session.request({ ':path': `${path}/live` });
  let heard = '';
  live.on('data', (text) => { heard += text; });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) =>
    ask2(session, { ':path': i % 4 ? `${path}/series` : `${path}.csv` })));
  for (const [i, { status, body }] of answers.entries()) {
    assert.equal(status, 200);
    if (i % 4) assert.ok(JSON.parse(body).time.length > 0);
    else assert.equal(body.trim().split('\r\n').length, 3001);
  }
  await until('hello', async () => heard.includes('event: hello'));
  await program.row([777]);
  await until('the row', async () => /event: rows\ndata: .*777/.test(heard));
  live.close();
  await until('the stream is gone', async () => (await metric(server, 'mnemic_http_streams')) === 0);
  session.destroy();
  program.close();
  await server.remove();
});

test('HTTP/2: a client that asks and gives up without end is cut off, others are served', async () => {
  const server = await startMnemic();
  const session = http2.connect(server.url);
  session.on('error', () => {});
  const closed = new Promise((resolve) => session.on('close', resolve));
  let asked = 0;
  while (!session.closed && !session.destroyed && asked < 100000) {
    for (let i = 0; i < 20 && !session.closed && !session.destroyed; i++, asked++) {
      const stream = session.request({ ':path': '/metrics' });
      stream.on('error', () => {});
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  assert.ok(asked < 100000);
  assert.ok((await metric(server, 'mnemic_http_abandoned_total')) >= 100);
  await server.remove();
});

// ---- TLS and tokens ----

test('HTTPS with a token, over HTTP/1.1 and HTTP/2', async (t) => {
  const [cert, key, token] = ['cert.pem', 'key.pem', 'token'].map((name) => join(dir, name));
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
  } catch (error) {
    if (error.code === 'ENOENT') return t.skip('openssl is not installed');
    throw error;
  }
  writeFileSync(token, 'open sesame\n');
  const server = start(MNEMIC, ['--store', 'sqlite:tls.db', '--udp', '127.0.0.1:0', '--http', '127.0.0.1:0', '--tls-cert', cert,
    '--tls-key', key, '--token-file', token], { cwd: dir });
  let out = '';
  server.child.stdout.on('data', (text) => { out += text; });
  const url = await until('its address', async () => {
    assert.equal(server.child.exitCode, null, server.log());
    return /^https:\/\/\S+$/m.exec(out)?.[0];
  });
  const ca = readFileSync(cert);
  const ask = (path, options) => new Promise((resolve, reject) => {
    https.get(new URL(path, url), { ca, ...options }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
  });
  assert.equal(await ask('/healthz'), 200);
  assert.equal(await ask('/'), 401);
  assert.equal(await ask('/', { auth: 'me:wrong' }), 401);
  assert.equal(await ask('/', { auth: 'me:open sesame' }), 200);
  assert.equal(await ask('/api/v1/apps', { headers: { authorization: 'Bearer open sesame' } }), 200);
  await assert.rejects(ask('/healthz', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' }));
  const session = http2.connect(url, { ca });
  assert.equal((await ask2(session, { ':path': '/metrics', authorization: 'Bearer open sesame' })).status, 200);
  assert.equal((await ask2(session, { ':path': '/metrics' })).status, 401);
  session.close();
  const health = (...args) => start(MNEMIC, ['healthcheck', '--http', new URL(url).host, ...args]);
  assert.equal(await health('--token-file', token).ended, 0);
  const without = health();
  assert.equal(await without.ended, 1);
  assert.match(without.log(), /^mnemic: .* wants a token: give --token-file/);
  assert.equal(await server.stop(), 0, server.log());
});

test('healthcheck: 0 while the server is well, 1 and a line that tells why when it is not', async () => {
  const server = await startMnemic();
  const health = () => start(MNEMIC, ['healthcheck'], { env: { MNEMIC_BIND: '0.0.0.0', FRONT_END_PORT: server.http } });
  assert.equal(await health().ended, 0);
  server.child.kill('SIGSTOP');
  const silent = health();
  assert.equal(await silent.ended, 1);
  assert.match(silent.log(), /^mnemic: .* does not answer\n$/);
  server.child.kill('SIGCONT');
  await server.stop();
  const gone = health();
  assert.equal(await gone.ended, 1);
  assert.match(gone.log(), /^mnemic: .*Connection refused\n$/);
  await server.remove();
});
