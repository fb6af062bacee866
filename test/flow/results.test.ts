import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect, JobFailedError, ResultTimeoutError } from '@jetbeat/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { AppProcess } from '../support/app-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { natsUrl, testNamespace } from '../support/nats.ts';
import { type BreakableWay, startProxy } from '../support/proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Results come from the worker itself; no recorder runs until a test starts one, so nobody else could tell them. */
let dir: string;
let database: TestDatabase;
let postgres: BreakableWay;
let group: AppGroup;
let worker: AppProcess;
let client: Client;
let other: Client;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-results-'));
  database = await createTestDatabase();
  const url = new URL(database.url);
  postgres = await startProxy(Number(url.port));
  url.port = String(postgres.port);
  await writeFile(join(dir, 'jetbeat.yaml'), 'tasks: { "apart.*": { isolation: process } }\n');
  group = await startAppGroup({
    JETBEAT_CONFIG: join(dir, 'jetbeat.yaml'),
    JETBEAT_ACK_WAIT: '2s',
    JETBEAT_TASKS: join(import.meta.dirname, 'job-tasks.ts'),
    JETBEAT_DATABASE_URL: url.href,
  });
  worker = await group.start('worker');
  const where = { servers: natsUrl(), namespace: group.namespace };
  [client, other] = await Promise.all([connect(where), connect(where)]);
}, 60_000);
afterAll(async () => {
  await Promise.all([client?.close(), other?.close()]);
  await group?.stop();
  await postgres?.stop();
  await database?.drop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const TIMEOUT = { timeout: '20s' };
/** Long for a job that takes no time; soon where nobody will answer. */
const SOON = { timeout: '6s' };
const TRIES = 4;

/**
 * A worker that stood still for some tenths of a second on a busy machine asks a recorder about what it held. Where none answers that waits
 * until one does, and is made anew.
 */
async function unlessInDoubt(make: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof ResultTimeoutError) || tries === TRIES) throw error;
    }
  }
}

const file = () => join(dir, 'notes');
const begun = (name: string) =>
  waitUntil(`${name} has begun`, async () => {
    const text = await readFile(file(), 'utf8').catch(() => '');
    return text.includes(`"name":"${name}","what":"begun"`);
  });

test('the worker tells the result, and why there is none, while no recorder runs', async () => {
  await unlessInDoubt(async () => {
    // The very first must not be over before the worker has heard that somebody waits for results.
    const first = await client.enqueue('jobs.inline', { file: file(), name: 'first', ms: 1_500 });
    expect(await first.result(SOON)).toBe('waited');
    const job = await client.enqueue('jobs.echo', { value: 7 });
    expect(await job.result(SOON)).toEqual({ value: 7 });
    const dead = await (await client.enqueue('jobs.dies', null))
      .result(SOON)
      .catch((error: unknown) => error);
    if (dead instanceof ResultTimeoutError) throw dead;
    expect(dead).toBeInstanceOf(JobFailedError);
    expect(dead).toMatchObject({ reason: { code: 'rejected' }, error: { code: 'no_customer' } });
    const retried = await client.enqueue('jobs.again', null, { retry: { attempts: 2, delay: '0ms' } });
    expect(await retried.result(SOON)).toBe('attempt 2');
    const jobs = await client.enqueueMany(
      'jobs.echo',
      Array.from({ length: 200 }, (_, value) => ({ value })),
    );
    const results = await Promise.all(jobs.map((each) => each.result<{ value: number }>(SOON)));
    expect(results.map(({ value }) => value)).toEqual(jobs.map((_, value) => value));
  });
}, 60_000);

test('a task that the configuration puts into a process runs there', async () => {
  await unlessInDoubt(async () => {
    const [inline, apart] = [
      await client.enqueue('jobs.where', null),
      await client.enqueue('apart.where', null),
    ];
    expect(await inline.result(SOON)).toBe(worker.pid);
    expect(await apart.result(SOON)).not.toBe(worker.pid);
  });
}, 60_000);

test('it tells everybody who waits, in the namespace of the job', async () => {
  await unlessInDoubt(async () => {
    const job = await client.enqueue('jobs.inline', { file: file(), name: 'several', ms: 500 });
    const stranger = await connect({ servers: natsUrl(), namespace: testNamespace() });
    const theirs = stranger
      .job(job.id)
      .result({ timeout: '1s' })
      .catch((error: unknown) => error)
      .finally(() => stranger.close());
    const ours = [job.result(SOON), job.result(SOON), other.job(job.id).result(SOON)];
    expect(await Promise.all(ours)).toEqual(['waited', 'waited', 'waited']);
    expect(await theirs).toBeInstanceOf(ResultTimeoutError);
  });
}, 60_000);

test('a late call, and a large result, are answered by the recorder', async () => {
  let early = '';
  await unlessInDoubt(async () => {
    const job = await client.enqueue('jobs.echo', { value: 1 });
    early = job.id;
    expect(await job.result(SOON)).toEqual({ value: 1 });
  });
  await group.start('recorder');
  expect(await other.job(early).result(TIMEOUT)).toEqual({ value: 1 });
  const large = await client.enqueue('jobs.long', { length: 200_000 });
  expect(await large.result(TIMEOUT)).toBe('x'.repeat(200_000));
  const tooLarge = await client.enqueue('jobs.long', { length: 1_100_000 });
  expect(await tooLarge.result(TIMEOUT)).toEqual({ truncated: true, bytes: 1_100_002 });
}, 60_000);

test('a worker that is killed before it answers: whoever runs the job next answers', async () => {
  const job = await client.enqueue('jobs.inline', { file: file(), name: 'killed', ms: 300 });
  const result = job.result({ timeout: '40s' });
  await begun('killed');
  await worker.kill();
  await group.start('worker');
  expect(await result).toBe('waited');
}, 60_000);

test('PostgreSQL is down: results come all the same', async () => {
  await postgres.stop();
  await unlessInDoubt(async () => {
    const jobs = await client.enqueueMany('jobs.echo', [{ value: 1 }, { value: 2 }, { value: 3 }]);
    const results = await Promise.all(jobs.map((job) => job.result(SOON)));
    expect(results).toEqual([{ value: 1 }, { value: 2 }, { value: 3 }]);
  });
}, 60_000);
