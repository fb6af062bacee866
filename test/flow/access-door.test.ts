import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { start } from '@jetbeat/api';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey } from '../support/access.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { natsUrl, testNamespace } from '../support/nats.ts';

let dir: string;
let database: TestDatabase;
let api: TestApi;
let certificate: Certificate;
const files: Record<string, string> = {};
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-door-'));
  certificate = makeCertificate();
  for (const [name, content] of Object.entries(certificate)) {
    const file = join(dir, `${name}.pem`);
    files[name] = file;
    await writeFile(file, content);
  }
  database = await createTestDatabase();
  api = await startTestApi({ yaml: `api: {tls: ${JSON.stringify(files)}}\n` });
});
afterAll(async () => {
  await api?.stop();
  await database?.drop();
  await rm(dir, { recursive: true, force: true });
});

function open(env: Record<string, string>) {
  const all = {
    JETBEAT_NATS_URL: natsUrl(),
    JETBEAT_DATABASE_URL: database.url,
    JETBEAT_NAMESPACE: testNamespace(),
    JETBEAT_PORT: '0',
    ...env,
  };
  return start({
    config: loadConfig({ env: all, app: 'api', cwd: dir }),
    log: createLog({ app: 'api', level: 'fatal' }),
  });
}

/** Asks over https, trusting this certificate alone. */
async function ask(path: string, headers: Record<string, string> = {}, options: RequestOptions = {}) {
  const url = new URL(path, api.http.url);
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    body: string;
    headers: object;
  }>();
  get(url, { ca: certificate.cert, headers, ...options }, (response) => {
    const { statusCode: status = 0 } = response;
    text(response).then((body) => resolve({ status, body, headers: response.headers }), reject);
  }).once('error', reject);
  return promise;
}

test('on an address that others reach it does not start without keys and https or a proxy, and says why', async () => {
  const refused = await open({ JETBEAT_HOST: '0.0.0.0' }).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 'invalid_config',
    problems: [
      expect.stringMatching(/0\.0\.0\.0 .* nobody has a key: set JETBEAT_API_KEY_FILE/),
      expect.stringMatching(/read on the way: give api\.tls/),
    ],
  });
  const key = { JETBEAT_API_KEY: `jb_first_${'k'.repeat(43)}` };
  await expect(open({ JETBEAT_HOST: '0.0.0.0', ...key })).rejects.toThrow(/read on the way/);
});

test('with both it does, and asks for a key where others could look on', async () => {
  const running = await open({
    JETBEAT_HOST: '0.0.0.0',
    JETBEAT_TRUSTED_PROXIES: '10.0.0.0/8',
    JETBEAT_API_KEY: `jb_first_${'k'.repeat(43)}`,
  });
  try {
    const url = running.url.replace('0.0.0.0', '127.0.0.1');
    const status = async (path: string) => (await fetch(`${url}${path}`)).status;
    expect(await Promise.all(['/livez', '/api/v1/jobs', '/metrics', '/openapi.json'].map(status))).toEqual([
      200, 401, 401, 200,
    ]);
  } finally {
    await running.stop();
  }
});

test('https, with a header that keeps browsers to it', async () => {
  expect(api.http.url).toMatch(/^https:/);
  const answer = await ask('/api/v1/jobs', { authorization: `Bearer ${api.key}` });
  expect(answer).toMatchObject({
    status: 200,
    headers: { 'strict-transport-security': expect.stringMatching(/max-age/) },
  });
  await expect(ask('/livez', {}, { ca: makeCertificate().cert })).rejects.toThrow();
});

test('metrics are open on the machine itself alone, and tell of all queues to who may see all', async () => {
  const local = await startTestApi();
  try {
    const metrics = async (key?: string) =>
      (await fetch(`${local.http.url}/metrics`, { headers: key ? { authorization: `Bearer ${key}` } : {} }))
        .status;
    expect(await metrics()).toBe(200);
    const open = await startTestApi({ yaml: 'api: {publicUrl: "http://127.0.0.1:7420"}\n' });
    try {
      const at = async (key?: string) =>
        (await fetch(`${open.http.url}/metrics`, { headers: key ? { authorization: `Bearer ${key}` } : {} }))
          .status;
      expect(await at()).toBe(401);
      expect(await at((await makeKey(open, { role: 'viewer' })).key)).toBe(200);
      expect(await at((await makeKey(open, { role: 'admin', queues: ['mail'] })).key)).toBe(403);
    } finally {
      await open.stop();
    }
  } finally {
    await local.stop();
  }
});
