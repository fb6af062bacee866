import { DEFAULT_POLICY, type Event, type JobEnvelope, type Policy } from '@jetbeat/core';
import {
  type Bus,
  connectBus,
  type Delivery,
  type EventPublisher,
  ensureTopology,
  findMessage,
  jobSubject,
  noteOf,
  silentLog,
  viewJetStream,
} from '@jetbeat/jetstream';
import type { Execution } from '@jetbeat/task';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { newJob } from '../../../../test/support/recorder.ts';
import { Held } from '../held.ts';
import { createOwnRetries } from './own-retries.ts';
import { createSettle } from './settle.ts';

let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), namespace: testNamespace(), name: 'test', log: silentLog });
  await ensureTopology(bus, { queues: ['default'], ...testTopology });
});
afterAll(() => bus.close());

const FAILED: Execution = { outcome: 'failed', error: { name: 'Error', message: 'it fails' } };
const policy = (attempts: number): Policy => ({
  ...DEFAULT_POLICY,
  retry: { ...DEFAULT_POLICY.retry, attempts, delay: 0, jitter: false },
});

/** One held job, and what had happened already when its event was to be stored. */
function bench(job: JobEnvelope, store: () => Promise<{ seq: number }>) {
  const state = { acks: 0, told: [] as Event[], before: [] as object[], endings: [] as object[] };
  const delivery = {
    seq: 1,
    queue: 'default',
    ack: () => state.acks++,
    nak: () => {},
  } as unknown as Delivery;
  const since = { monotonic: performance.now(), wall: Date.now() };
  const held = new Held({ job, delivery, since, suspect: false, traced: false });
  const look = async () => {
    const { deadLetters } = await viewJetStream(bus)();
    const follows = await findMessage(bus, { subject: jobSubject(bus, job) });
    return { acks: state.acks, attempt: follows?.envelope?.attempt, deadLetters };
  };
  const settle = createSettle({
    bus,
    events: {
      async publish(event: Event) {
        state.told.push(event);
        state.before.push(await look());
        return store();
      },
    } as EventPublisher,
    worker: 'w',
    own: createOwnRetries({ aloneMs: 1_000 }),
    callBack: { has: () => false, make: async () => {} },
    wanted: {
      any: true,
      tell: (id, ending) => state.endings.push({ id, acks: state.acks, ...ending }),
    },
    now: Date.now,
    random: () => 0,
    stopped: new AbortController().signal,
    onRetry: () => {},
    onSettled: () => {},
  });
  return { state, held, settle, look };
}

const stored = () => Promise.resolve({ seq: 1 });

test('first the outcome is stored, then what follows, then the message is acknowledged', async () => {
  const job = newJob({ task: 'settle.retry' });
  const { state, held, settle, look } = bench(job, stored);
  await settle.attempt(held, FAILED, policy(2));
  expect(state.before).toMatchObject([{ acks: 0, attempt: undefined }]);
  expect(await look()).toMatchObject({ acks: 1, attempt: 2 });
});

test('where the last is kept the next run has the key before history hears of it, and whatever becomes of that', async () => {
  const unique = { key: 'k', scope: 'task', mode: 'last' } as const;
  const job = { ...newJob({ task: 'settle.last' }), unique };
  const noted = async () => (await noteOf(bus, job)).note?.holder;
  let seen: unknown;
  const { held, settle, look } = bench(job, async () => {
    seen = await noted();
    throw new Error('EVENTS is away');
  });
  await expect(settle.attempt(held, FAILED, policy(2))).rejects.toThrow('EVENTS is away');
  const waiting = { id: job.id, attempt: 2, run: 2 };
  expect(seen).toMatchObject(waiting);
  expect(await noted()).toMatchObject(waiting);
  expect(await look()).toMatchObject({ acks: 0, attempt: undefined });
  const again = bench(job, stored);
  await again.settle.attempt(again.held, FAILED, policy(2));
  expect(await noted()).toMatchObject(waiting);
  expect(await again.look()).toMatchObject({ acks: 1, attempt: 2 });
});

test('what could not be stored is not acknowledged, and nothing follows', async () => {
  const job = newJob({ task: 'settle.refused' });
  const { state, held, settle, look } = bench(job, () => Promise.reject(new Error('EVENTS is away')));
  await expect(settle.attempt(held, FAILED, policy(2))).rejects.toThrow('EVENTS is away');
  expect(await look()).toMatchObject({ acks: 0, attempt: undefined });
  expect(state.endings).toEqual([]);
});

test('a job whose attempts are used up leaves a dead letter, after its outcome is stored', async () => {
  const { state, held, settle, look } = bench(newJob({ task: 'settle.dead' }), stored);
  await settle.attempt(held, FAILED, policy(1));
  expect(state.told).toMatchObject([{ kind: 'settled', next: { state: 'dead' } }]);
  expect(state.endings).toMatchObject([{ id: held.job.id, acks: 0, state: 'dead', error: FAILED.error }]);
  expect(state.before).toMatchObject([{ acks: 0, deadLetters: 0 }]);
  expect(await look()).toMatchObject({ acks: 1, attempt: undefined, deadLetters: 1 });
});
