import { join } from 'node:path';
import { connect } from '@jetbeat/client';
import type { Job, PurgeAnswer, Queue } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { AppProcess } from '../support/app-process.ts';
import { type FileLedger, startFileLedger } from '../support/file-ledger.ts';
import { type Gates, startGates } from '../support/gates.ts';
import { natsUrl } from '../support/nats.ts';
import { waitUntil } from '../support/wait-until.ts';
import { held, stamp } from './queue-tasks.ts';

const JOBS = 1_500;
const KEYED = 300;
let group: AppGroup;
let ledger: FileLedger;
let gates: Gates;
let recorder: AppProcess;

beforeAll(async () => {
  ledger = await startFileLedger();
  gates = await startGates();
  group = await startAppGroup({ JETBEAT_ACK_WAIT: '2s' });
  [recorder] = await Promise.all([group.start('recorder'), group.start('api')]);
  await group.start('worker', {
    JETBEAT_TASKS: join(import.meta.dirname, 'queue-tasks.ts'),
    JETBEAT_QUEUES: 'mail',
    JETBEAT_CONCURRENCY: '1',
  });
}, 90_000);
afterAll(async () => {
  await group?.stop();
  await ledger?.stop();
  await gates?.stop();
}, 60_000);

async function enqueue(name: string, ms = 0, more: object = {}): Promise<string> {
  const body = { task: 'test.stamp', queue: 'mail', input: { file: ledger.file, name, ms }, ...more };
  const answer = await group.http.call<{ id: string }>('POST', '/jobs', body);
  expect(answer.status).toBe(202);
  return answer.body.id;
}

const purge = (body: object) => group.http.call<PurgeAnswer>('POST', '/queues/mail/purge', body);
const mail = async () => (await group.http.call<Queue>('GET', '/queues/mail')).body;

test('a purge removes what was counted and nothing else, though the recorder dies in the middle of it', async () => {
  const input = { file: ledger.file, name: 'running', gate: `${gates.url}/running` };
  const running = await enqueue('running', 0, { task: 'test.held', input });
  await gates.until('/running', 1);
  const parked = await enqueue('parked', 0, { task: 'test.nobody' });
  const later = await enqueue('later', 0, { delay: '1h' });
  const ids: string[] = [];
  for (let at = 0; at < JOBS; at += 100) {
    const names = Array.from({ length: 100 }, (_, index) => `purged-${at + index}`);
    ids.push(...(await Promise.all(names.map((name) => enqueue(name)))));
  }
  await waitUntil('all wait', async () => {
    const { waiting, held, scheduled } = await mail();
    return (waiting?.normal ?? 0) + (held ?? 0) >= JOBS + 2 && scheduled === 1;
  });
  const counted = await purge({ timers: true });
  expect(counted).toMatchObject({ status: 200, body: { state: 'unconfirmed', count: { timers: 1 } } });
  expect(counted.body.count?.waiting).toBeGreaterThan(JOBS - 300);
  const { confirm } = counted.body;
  const after = await enqueue('after');
  for (const wrong of [{ confirm }, { confirm: 'none', timers: true }])
    expect(await purge(wrong)).toMatchObject({ status: 409, body: { code: 'purge_changed' } });

  expect(await purge({ confirm, timers: true })).toMatchObject({ status: 200, body: { state: 'running' } });
  await waitUntil('it has begun', async () => ((await mail()).purge?.removed ?? 0) > 0, { everyMs: 10 });
  await recorder.kill();
  recorder = await group.start('recorder');
  const done = await waitUntil('it is done', async () => {
    const found = (await mail()).purge;
    return found?.doneAt !== null && found;
  });
  expect(done).toMatchObject({ timers: true });
  expect((await purge({ confirm, timers: true })).body.state).toBe('done');

  gates.open('/running');
  await group.http.jobIn(after, ['succeeded'], 30_000);
  expect((await group.http.job(running)).state).toBe('succeeded');
  for (const id of [later, parked, ...ids.slice(0, 3), ...ids.slice(-3)]) {
    const job = await group.http.jobIn(id, ['cancelled']);
    expect(job.reason?.code).toBe('purged');
  }
  const query = '/jobs?queue=mail&state=cancelled&limit=200';
  let cancelled = 0;
  for (let cursor = ''; ; ) {
    const page = await group.http.call<{ items: Job[]; nextCursor: string | null }>(
      'GET',
      `${query}${cursor}`,
    );
    cancelled += page.body.items.length;
    if (page.body.nextCursor === null) break;
    cursor = `&cursor=${page.body.nextCursor}`;
  }
  expect(cancelled).toBe(JOBS + 2);
  const begun = [...(await ledger.read()).keys()].map((line) => line.split(' ')[0]);
  expect(begun.sort()).toEqual(['after', 'running']);
  // The picture of a queue is made anew twice a second.
  await expect
    .poll(mail, { timeout: 20_000 })
    .toMatchObject({ waiting: { high: 0, normal: 0, low: 0 }, held: 0, scheduled: 0, parked: {} });
}, 120_000);

test('what is just being parked for its key when the queue is purged ends as purged too', async () => {
  await group.start('worker', {
    JETBEAT_TASKS: join(import.meta.dirname, 'queue-tasks.ts'),
    JETBEAT_QUEUES: 'keyed',
    JETBEAT_CONCURRENCY: '20',
  });
  const client = await connect({ servers: natsUrl(), namespace: group.namespace });
  const options = { queue: 'keyed', concurrencyKey: 'one' };
  const keyed = async () => (await group.http.call<Queue>('GET', '/queues/keyed')).body;
  const purgeKeyed = (body: object) => group.http.call<PurgeAnswer>('POST', '/queues/keyed/purge', body);
  const begun = async () => [...(await ledger.read()).keys()].filter((line) => /^(holds|keyed)-/.test(line));
  const input = { file: ledger.file, name: 'holds-0', gate: `${gates.url}/keyed` };
  await client.enqueue(held, input, options);
  await waitUntil('it holds the key', async () => (await begun()).length === 1);
  const inputs = Array.from({ length: KEYED }, (_, n) => ({ file: ledger.file, name: `keyed-${n}`, ms: 0 }));
  const made = await client.enqueueMany(
    stamp,
    inputs.map((each) => ({ input: each, options })),
  );
  const counted = await purgeKeyed({});
  expect(await purgeKeyed({ confirm: counted.body.count && counted.body.confirm })).toMatchObject({
    status: 200,
  });
  const done = await waitUntil('it is done', async () => {
    const { purge } = await keyed();
    return purge?.doneAt !== null && purge;
  });
  console.info(`${done?.removed} of ${KEYED} were removed by the recorder, the others by their worker`);
  await client.close();
  for (const { id } of made)
    expect(await group.http.jobIn(id, ['cancelled'])).toMatchObject({ reason: { code: 'purged' } });
  gates.open('/keyed');
  expect((await begun()).map((line) => line.split(' ')[0])).toEqual(['holds-0']);
}, 60_000);
