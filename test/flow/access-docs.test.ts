import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ApiKeyCreated } from '@jetbeat/core/http';
import { loadConfig } from '@jetbeat/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { secretOf } from '../support/access.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

const page = resolve(import.meta.dirname, '../../docs/access.md');
let dir: string;
let text: string;
let api: TestApi;
beforeAll(async () => {
  text = await readFile(page, 'utf8');
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-docs-'));
  api = await startTestApi();
});
afterAll(async () => {
  await api?.stop();
  await rm(dir, { recursive: true, force: true });
});

test('a key is made, listed and taken back as the page says', async () => {
  const [, body = ''] = /POST \$JETBEAT_URL\/api\/v1\/api-keys[\s\S]*?-d '([^']+)'/.exec(text) ?? [];
  const asked = JSON.parse(body) as object;
  const { status, body: made } = await api.http.call<ApiKeyCreated>('POST', '/api-keys', asked);
  expect(status).toBe(201);
  const { expiresIn: _, ...rest } = asked as { expiresIn: string };
  expect(made).toMatchObject({ ...rest, state: 'active' });
  const reason = { 'jetbeat-reason': 'the laptop is gone' };
  expect((await api.http.call('DELETE', `/api-keys/${made.id}`, undefined, reason)).status).toBe(204);
  const { body: audit } = await api.http.call<{ items: object[] }>('GET', `/audit?target=api-key:${made.id}`);
  expect(audit.items).toMatchObject([
    {
      action: 'key.revoke',
      reason: 'the laptop is gone',
      before: { state: 'active' },
      after: { state: 'revoked' },
    },
    { action: 'key.create', after: rest },
  ]);
  expect(JSON.stringify(audit)).not.toContain(secretOf(made.key));
});

test('the first key is one that an API takes', () => {
  const [, script = ''] = /node -p '([^']+)'/.exec(text) ?? [];
  const key = execFileSync(process.execPath, ['-p', script], { encoding: 'utf8' }).trim();
  expect(loadConfig({ env: { JETBEAT_API_KEY: key }, app: 'api', cwd: dir }).apiKey).toBe(key);
});

test('the configurations on the page are read, and the environment says the same', async () => {
  const files = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, file = '']) => file);
  expect(files).toHaveLength(2);
  for (const file of files) {
    const name = join(dir, 'page.yaml');
    await writeFile(name, file);
    expect(loadConfig({ env: { JETBEAT_CONFIG: name }, app: 'api', cwd: dir }).host).toBe('0.0.0.0');
  }
  const rows = [...text.matchAll(/^\| ((?:`JETBEAT_\w+`(?:, )?)+) +\| ((?:`api\.[\w.]+`(?:, )?)+)/gm)];
  expect(rows).toHaveLength(3);
  const values: Readonly<Record<string, string>> = {
    JETBEAT_TRUSTED_PROXIES: '10.0.0.1',
    JETBEAT_PUBLIC_URL: 'https://a.b',
  };
  const names = rows.flatMap(([, cell = '']) => [...cell.matchAll(/JETBEAT_\w+/g)].map(([name]) => name));
  const env = Object.fromEntries(names.map((name) => [name, values[name] ?? '/file.pem']));
  expect(loadConfig({ env, app: 'api', cwd: dir }).api).toMatchObject({
    tls: { cert: '/file.pem', key: '/file.pem' },
    trustedProxies: ['10.0.0.1'],
    publicUrl: 'https://a.b',
  });
});
