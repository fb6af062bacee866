import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { PurgeAnswer, Queue } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';

const page = resolve(import.meta.dirname, '../../docs/queues.md');
const CALL = /^curl -X (\w+) \$JETBEAT_URL\/api\/v1(\S+) .*-d '([^']+)'$/gm;
let dir: string;
let text: string;
let group: AppGroup;

beforeAll(async () => {
  text = await readFile(page, 'utf8');
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-docs-'));
  const file = join(dir, 'jetbeat.yaml');
  await writeFile(file, /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '');
  group = await startAppGroup({ JETBEAT_CONFIG: file });
  await Promise.all([group.start('api'), group.start('recorder')]);
  await group.start('worker', { JETBEAT_TASKS: join(import.meta.dirname, 'queue-tasks.ts') });
}, 90_000);
afterAll(async () => {
  await group?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const call = <T>(method: string, path: string, body?: object) => group.http.call<T>(method, path, body);

test('the configuration on the page holds until something else is said', async () => {
  const limits = {
    concurrency: 5,
    maxDepth: 100_000,
    rateLimit: { limit: 100, period: '1m', burst: 10, per: 'queue' },
  };
  const { body: first } = await call<Queue>('GET', '/queues/mail');
  expect(first).toMatchObject({ ...limits, configured: limits });
  const { body: changed } = await call<Queue>('PATCH', '/queues/mail', { concurrency: 7 });
  expect(changed).toMatchObject({ ...limits, concurrency: 7, configured: limits });
  expect((await call<Queue>('PATCH', '/queues/mail', { concurrency: null })).body).toMatchObject(limits);
});

test('every call on the page is answered as it says', async () => {
  const job = { task: 'test.letter', input: { to: 'a@example.org' } };
  const { id } = (await call<{ id: string }>('POST', '/jobs', job)).body;
  await group.http.jobIn(id, ['dead']);
  const calls = [...text.matchAll(CALL)];
  expect(calls.length).toBe(text.split('curl -X').length - 1);
  let confirm = '';
  const answers: string[] = [];
  for (const [, method = '', path = '', written = ''] of calls) {
    const body = JSON.parse(written) as { confirm?: string };
    const answer = await call<PurgeAnswer & Queue>(method, path.replace('$ID', id), {
      ...body,
      ...(body.confirm === undefined ? {} : { confirm }),
    });
    expect(answer.status, `${method} ${path} ${written}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    confirm = answer.body.confirm ?? confirm;
    answers.push(`${answer.body.state ?? answer.body.paused?.note ?? 'done'}`);
  }
  expect(answers).toEqual([
    ...['done', 'the mail server is down', 'done'],
    ...['unconfirmed', 'running', 'queued', 'queued', 'counted', 'running'],
  ]);
}, 60_000);
