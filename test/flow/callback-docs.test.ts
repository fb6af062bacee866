import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { callbacksOf, makeCallback, readPolicy, readSettings, uuidV7From } from '@jetbeat/core';
import { JobRequestSchema } from '@jetbeat/core/http';
import { loadConfig } from '@jetbeat/runtime';
import type { Task } from '@jetbeat/task';
import { runTask } from '@jetbeat/task/testing';
import { builtInTasks } from '@jetbeat/tasks';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';

const page = resolve(import.meta.dirname, '../../docs/callbacks.md');

/** The examples in this language of the page. */
async function examples(language: string): Promise<string[]> {
  const text = await readFile(page, 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(
    ([, code = '']) => code,
  );
}

/** Writes the example into a folder in `inside` and gives its path to `use`. */
async function withFile<T>(inside: string, name: string, text: string, use: (file: string) => Promise<T>) {
  const dir = await mkdtemp(join(inside, 'jetbeat-docs-'));
  try {
    const file = join(dir, name);
    await writeFile(file, text);
    return await use(file);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
const load = <T>(name: string, code = '') =>
  withFile(import.meta.dirname, name, code, async (file) => (await import(file)) as T);

const NONE = readSettings({});

test('the task on the page calls what it says, and its callback understands what it gets', async () => {
  const [code] = await examples('ts');
  const { charge, tellOwner } = await load<{ charge: Task; tellOwner: Task }>('task.ts', code);
  const onFailure = callbacksOf('onFailure', undefined, NONE.of(charge.name), charge.policy, undefined);
  expect(onFailure).toMatchObject([
    { task: 'invoice.tell-owner' },
    { task: 'invoice.reopen', priority: 'high' },
  ]);
  expect(charge.policy.onSuccess).toMatchObject([{ webhook: { secret: 'shop' } }]);
  const { error } = await runTask(charge, null);
  const ended = {
    id: uuidV7From(Date.now(), randomUUID()),
    task: charge.name,
    queue: 'default',
    state: 'dead' as const,
    attempt: 1,
    createdAt: 0,
    finishedAt: 1,
    error,
  };
  const [callback = {}] = onFailure;
  const { envelope } = await makeCallback({
    callback,
    kind: 'onFailure',
    index: 0,
    ended,
    settings: NONE,
    now: 2,
  });
  expect(await runTask(tellOwner, envelope.input)).toMatchObject({
    result: 'billing: invoice.charge: the card was declined',
  });
});

test('the request on the page is accepted', async () => {
  const [text = ''] = await examples('json');
  const request = JSON.parse(text);
  expect(Compile(JobRequestSchema).Check(request)).toBe(true);
  const { policy, issues } = readPolicy(request);
  expect(issues).toEqual([]);
  expect(policy.onSuccess).toHaveLength(1);
  expect(policy.onFailure).toMatchObject([{ webhook: { secret: 'hooks' } }]);
});

test('the configuration on the page is accepted, and means what is said there', async () => {
  const [yaml = ''] = await examples('yaml');
  const config = await withFile(tmpdir(), 'jetbeat.yaml', yaml, async (file) =>
    loadConfig({ env: {}, app: 'recorder', cwd: resolve(file, '..') }),
  );
  const settings = readSettings(config.settings, config.file);
  expect(settings.queue('mail')).toEqual({ onFailure: [{ task: 'mail.failed' }] });
  const { over } = settings.of('invoice.charge');
  expect(over.policy?.onFailure).toMatchObject([{ webhook: { secret: 'hooks' }, retry: { attempts: 10 } }]);
  expect(config.webhooks.secrets).toEqual({ hooks: { secretFile: '/run/secrets/hooks' } });
  expect(config.notifications).toMatchObject([
    { on: ['dead'], email: { to: ['ops@example.org'] }, rate: { limit: 5, periodMs: 600_000 } },
    { on: ['dead', 'expired'], queue: 'billing', rate: { limit: 10, periodMs: 3_600_000 } },
  ]);
});

test('the receiver on the page knows what is genuine', async () => {
  const [code] = await examples('js');
  type Check = (secret: string, headers: object, body: string, now?: number) => boolean;
  const { isGenuine } = await load<{ isGenuine: Check }>('receiver.mjs', code);
  const secret = 'a secret of some length';
  const seen: { headers: object; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ headers: request.headers, body });
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const http = { allowHosts: [], allowLoopback: true };
  const builtIn = builtInTasks({ http, webhooks: { secrets: { shop: { secret } } } });
  try {
    const task = builtIn.tasks.find(({ name }) => name === 'http.request') as Task;
    const ran = await runTask(task, { method: 'POST', url, body: { a: 'é' }, sign: 'shop' });
    expect(ran.outcome).toBe('succeeded');
  } finally {
    await builtIn.close();
    server.close();
  }
  const [{ headers, body } = { headers: {}, body: '' }] = seen;
  expect(isGenuine(secret, headers, body)).toBe(true);
  expect(isGenuine(secret, headers, `${body} `)).toBe(false);
  expect(isGenuine('another secret', headers, body)).toBe(false);
  expect(isGenuine(secret, headers, body, Date.now() + 600_000)).toBe(false);
  expect(isGenuine(secret, {}, body)).toBe(false);
});

test('the progress on the page is told', async () => {
  const [, code] = await examples('ts');
  const { sync } = await load<{ sync: Task }>('sync.ts', code);
  const { outcome, told } = await runTask(sync, { files: ['a', 'b'] });
  expect(outcome).toBe('succeeded');
  expect(told).toEqual([
    { value: 0, note: 'a' },
    { value: 50, note: 'b' },
    { value: 100, note: 'done' },
  ]);
});
