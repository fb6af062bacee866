import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createLog } from '@jetbeat/runtime';
import Fastify from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Certificate, makeCertificate } from '../../../../test/support/certificate.ts';
import { followTls, readTls } from './tls.ts';

let dir: string;
let files: { cert: string; key: string };
const logged: string[] = [];
const write = (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg);
const log = createLog({ app: 'api', level: 'info', destination: { write } });
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-tls-'));
  files = { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') };
  logged.length = 0;
});
afterEach(() => rm(dir, { recursive: true, force: true }));

let written = 0;
async function put({ cert, key }: Certificate): Promise<void> {
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  // The clock of a file system may be coarse.
  written += 1;
  await utimes(files.cert, written, written);
}

/** The name on the certificate that a server shows. */
function nameAt(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('https with the certificate, and with another one as soon as it is there; one that is none changes nothing', async () => {
  const [first, second] = [makeCertificate('first'), makeCertificate('second')];
  await put(first);
  const loaded = await readTls(files);
  const app = Fastify({ https: loaded });
  app.get('/', async ({ protocol }) => protocol);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const follower = followTls(app.server, { files, loaded, log });
  await follower.look();
  expect(await nameAt(port, first.cert)).toBe('first');
  await put(second);
  await follower.look();
  expect(await nameAt(port, second.cert)).toBe('second');
  await expect(nameAt(port, first.cert)).rejects.toThrow();
  await put({ cert: 'nonsense', key: second.key });
  await follower.look();
  expect(await nameAt(port, second.cert)).toBe('second');
  expect(logged).toEqual([
    'a new certificate holds',
    'the certificate cannot be read anew: the one before holds',
  ]);
  follower.stop();
  await app.close();
});

test('a certificate that is renewed while the server starts is found by the first look', async () => {
  const [first, second] = [makeCertificate('first'), makeCertificate('second')];
  await put(first);
  const loaded = await readTls(files);
  await put(second);
  const setSecureContext = vi.fn();
  const follower = followTls({ setSecureContext }, { files, loaded, log });
  await follower.look();
  follower.stop();
  expect(setSecureContext).toHaveBeenCalledWith(
    expect.objectContaining({ cert: Buffer.from(second.cert), key: Buffer.from(second.key) }),
  );
});

test('it speaks no plain http there, and no TLS that is out of date', async () => {
  const certificate = makeCertificate();
  await put(certificate);
  const app = Fastify({ https: await readTls(files) });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const old = new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: certificate.cert,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    });
    socket.once('error', resolve);
    socket.once('secureConnect', () => resolve('connected'));
  });
  expect(await old).toBeInstanceOf(Error);
  const plain = new Promise<string>((resolve) => {
    const socket = connectPlain(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(text));
  });
  expect(await plain).not.toContain('200');
  await app.close();
});

test('a key that is not that of the certificate is refused', async () => {
  await put({ cert: makeCertificate().cert, key: makeCertificate().key });
  await expect(readTls(files)).rejects.toThrow(/api\.tls: .* are no certificate and its key/);
});
