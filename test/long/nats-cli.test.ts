import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsCli } from '../support/nats-cli.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

let nats: Awaited<ReturnType<typeof natsCli>>;
let stack: Stack;

beforeAll(async () => {
  nats = await natsCli();
  stack = await startStack();
  await Promise.all([stack.start('api'), stack.start('recorder'), stack.start('worker')]);
}, 700_000);
afterAll(() => stack?.stop(), 60_000);

interface StreamInfo {
  readonly config: Record<string, unknown>;
  readonly state: { readonly messages: number };
}

async function stream(name: string): Promise<StreamInfo> {
  return JSON.parse(await nats(stack.nats.url, 'stream', 'info', name, '--json')) as StreamInfo;
}

async function post(body: object): Promise<string> {
  const answer = await stack.http.call<{ id: string }>('POST', '/jobs', {
    task: 'system.echo',
    input: 1,
    ...body,
  });
  expect(answer.status).toBe(202);
  return answer.body.id;
}

test('an operator sees the streams with the settings of the design', async () => {
  const names = (await nats(stack.nats.url, 'stream', 'ls', '--names')).trim().split('\n');
  expect(names.sort()).toEqual([
    ...['DEAD', 'EVENTS', 'JOBS', 'KV_cancelled', 'KV_leases', 'KV_limits'],
    ...['KV_settled', 'KV_slots', 'KV_unique'],
  ]);
  const jobs = await stream('JOBS');
  expect(jobs.config).toMatchObject({
    retention: 'workqueue',
    storage: 'file',
    allow_msg_schedules: true,
    allow_atomic: true,
    allow_direct: true,
    duplicate_window: 120_000_000_000,
    max_age: 0,
    max_bytes: -1,
  });
  expect((await stream('EVENTS')).config).toMatchObject({ retention: 'limits', discard: 'new' });
  expect((await stream('DEAD')).config).toMatchObject({
    retention: 'limits',
    max_age: 30 * 86_400 * 1_000_000_000,
  });
  const consumers = (await nats(stack.nats.url, 'consumer', 'ls', 'JOBS', '--names')).trim().split('\n');
  expect(consumers.sort()).toEqual([
    ...['default_high', 'default_high-front', 'default_low'],
    ...['default_low-front', 'default_normal', 'default_normal-front'],
  ]);
});

test('what is in JOBS is what is to be done: a delayed job is a timer, a job without a worker is parked', async () => {
  const delayed = await post({ delay: '1h' });
  const unknown = await post({ task: 'nobody.serves-this' });
  const done = await post({});
  await stack.http.jobIn(done, ['succeeded']);
  await stack.http.jobIn(unknown, ['parked']);
  const subjects = await waitUntil('both wait', async () => {
    const seen = Object.keys(
      JSON.parse(await nats(stack.nats.url, 'stream', 'subjects', 'JOBS', '--json')) as Record<
        string,
        number
      >,
    );
    return seen.length === 2 && seen;
  });
  expect(subjects.sort()).toEqual(
    [`parked.default.task:nobody/serves-this.${unknown}`, `timers.${delayed}`].sort(),
  );
});
