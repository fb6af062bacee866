import { type Client, connect, EnqueueError, EnqueueManyError } from '@jetbeat/client';
import { type AcceptedEvent, decodeBatch, type InputOf, uuidV7 } from '@jetbeat/core';
import {
  type Bus,
  connectBus,
  ensureTopology,
  findMessage,
  jobsStreamState,
  openEventSource,
  timerSubject,
} from '@jetbeat/jetstream';
import { defineTask } from '@jetbeat/task';
import { Type } from 'typebox';
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';
import { natsUrl, startOwnNats, testNamespace, testTopology } from '../support/nats.ts';
import { waitUntil } from '../support/wait-until.ts';

const sendReport = defineTask({
  name: 'report.send',
  queue: 'mail',
  priority: 'low',
  input: Type.Object({ to: Type.String() }),
  run: (input) => input.to,
});

const namespace = testNamespace();
let bus: Bus;
let client: Client;

beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'client test', namespace });
  await ensureTopology(bus, { queues: ['default', 'mail'], ...testTopology });
  client = await connect({ servers: natsUrl(), namespace });
});
afterAll(async () => {
  await client?.close();
  await bus?.close();
});

const messages = async (of = bus) => (await jobsStreamState(of)).messages;
const lastSeq = async () => (await jobsStreamState(bus)).lastSeq;

/** Everything that history has been told so far. */
async function acceptedEvents(
  of: Bus,
  until: (events: AcceptedEvent[]) => boolean,
): Promise<AcceptedEvent[]> {
  const source = openEventSource(of, { maxBatches: 100, maxWaitMs: 200 });
  const events: AcceptedEvent[] = [];
  await waitUntil('history is told', async () => {
    for (const delivery of await source.next()) {
      events.push(...decodeBatch(delivery.data).events.filter((event) => event.kind === 'accepted'));
      delivery.ack();
    }
    return until(events) || undefined;
  });
  await source.close();
  return events;
}

test('a job is in JetStream as the task and the call say, and history is told of it', async () => {
  const options = { priority: 'high', meta: { team: 'x' } } as const;
  const job = await client.enqueue(sendReport, { to: 'a@example.org' }, options);
  expect({ ...job }).toEqual({
    id: expect.any(String),
    task: 'report.send',
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    created: true,
    warnings: [],
  });
  const seq = await lastSeq();
  const stored = await findMessage(bus, { seq });
  expect(stored?.subject).toBe(`${namespace}.jobs.mail.high.report.send`);
  expect(stored?.envelope).toMatchObject({
    id: job.id,
    input: { to: 'a@example.org' },
    meta: { team: 'x' },
    attempt: 1,
    run: 1,
  });
  // Nobody has put it into a trace, so it is one of its own.
  expect(stored?.traceparent).toBeUndefined();
  expect(job.traceId).toBe(job.id.replaceAll('-', ''));
  const [event] = await acceptedEvents(bus, (events) =>
    events.some(({ envelope }) => envelope.id === job.id),
  );
  expect(event).toEqual({
    kind: 'accepted',
    envelope: stored?.envelope,
    seq,
  });
});

test('a delayed job waits as a timer; by name the defaults hold', async () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const job = await client.enqueue<typeof sendReport>(
    'report.send',
    { to: 'b' },
    { delay: '1h', traceparent },
  );
  expect(job.traceId).toBe('a'.repeat(32));
  const stored = await findMessage(bus, { subject: timerSubject(bus, job.id) });
  expect(stored?.envelope).toMatchObject({ id: job.id, queue: 'default', priority: 'normal' });
  expect((stored?.envelope?.runAt ?? 0) - (stored?.envelope?.createdAt ?? 0)).toBe(3_600_000);
});

test('a wrong input or option is refused before anything is published', async () => {
  const before = await messages();
  await expect(client.enqueue(sendReport, { to: 1 as unknown as string })).rejects.toThrow(
    '/to: must be string',
  );
  const option = (options: object) => client.enqueue(sendReport, { to: 'a' }, options);
  await expect(option({ uniqeKey: 'a' })).rejects.toMatchObject({
    issues: [{ pointer: '/uniqeKey', code: 'unknown_field', suggestion: 'uniqueKey' }],
  });
  await expect(option({ id: 'x', traceparent: 'y' })).rejects.toMatchObject({
    issues: [{ pointer: '/id' }, { pointer: '/traceparent' }],
  });
  await expect(option({ id: crypto.randomUUID() })).rejects.toThrow('UUIDv7');
  await expect(client.enqueue('no good', 1)).rejects.toThrow('is not a task name');
  await expect(connect({ server: natsUrl() } as object)).rejects.toThrow('did you mean "servers"?');
  expect(await messages()).toBe(before);
});

test('types come from the task, also by name', () => {
  const calls = () => [
    // @ts-expect-error: the input is an object with `to`
    client.enqueue(sendReport, { too: 'a' }),
    // @ts-expect-error: the same by name
    client.enqueue<typeof sendReport>('report.send', { to: 1 }),
    // @ts-expect-error: the same for many
    client.enqueueMany(sendReport, [{ to: 1 }]),
    client.enqueueMany(sendReport, [{ input: { to: 'a' }, options: { delay: '1m' } }, { to: 'b' }]),
    client.enqueue('anything', { whatever: true }),
  ];
  expectTypeOf<InputOf<typeof sendReport>>().toEqualTypeOf<{ to: string }>();
  expect(calls).toBeTypeOf('function');
});

test('a call that is repeated with its id is stored once, and says that it is a repeat', async () => {
  const before = await messages();
  const id = uuidV7(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
  for (let i = 0; i < 3; i++) expect((await client.enqueue(sendReport, { to: 'c' }, { id })).id).toBe(id);
  expect(await messages()).toBe(before + 1);
  expect((await findMessage(bus, { seq: await lastSeq() }))?.headers.get('Jetbeat-Repeat')).toBe('1');
});

test('many jobs: the good ones are stored, the bad ones are named', async () => {
  const before = await messages();
  const items = Array.from({ length: 1_200 }, (_, index) => ({
    to: index % 500 === 7 ? (index as unknown as string) : `${index}`,
  }));
  const error = await client.enqueueMany(sendReport, items).catch((thrown: unknown) => thrown);
  if (!(error instanceof EnqueueManyError)) throw new Error('it should have failed', { cause: error });
  expect(error.failures.map(({ index }) => index)).toEqual([7, 507, 1_007]);
  expect(error.failures[0]?.error.code).toBe('invalid_input');
  expect([error.complete, error.jobs.length, error.jobs[7]]).toEqual([true, 1_200, undefined]);
  expect(error.jobs.filter(Boolean).length).toBe(1_197);
  expect(await messages()).toBe(before + 1_197);
});

test('many jobs from a source that is read as it goes, with options per item', async () => {
  const before = await messages();
  let read = 0;
  let ended = false;
  async function* source() {
    try {
      for (; read < 5_000; read++) {
        if (read === 2_000) expect(await messages()).toBeGreaterThan(before + 500);
        yield read === 0 ? { input: { to: 'first' }, options: { queue: 'default' } } : { to: `${read}` };
      }
    } finally {
      ended = true;
    }
  }
  const jobs = await client.enqueueMany(sendReport, source());
  expect([jobs.length, new Set(jobs.map(({ id }) => id)).size, ended]).toEqual([5_000, 5_000, true]);
  expect(await messages()).toBe(before + 5_000);
  await acceptedEvents(bus, (events) => new Set(events.map(({ envelope }) => envelope.id)).size >= 5_000);
});

test('a source that fails loses nothing that was read', async () => {
  const before = await messages();
  const source = function* () {
    yield* [{ to: 'a' }, ...Array.from({ length: 499 }, () => ({ to: 'b' }))];
    throw new Error('the file ends here');
  };
  const error = await client.enqueueMany(sendReport, source()).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'enqueue_many', complete: false, failures: [] });
  expect((error as Error).message).toContain('the file ends here');
  expect(await messages()).toBe(before + 500);
});

test('a job that is too large fails alone', async () => {
  const items = [{ to: 'a' }, { to: 'x'.repeat(2 * 1024 ** 2) }, { to: 'b' }];
  const error = await client.enqueueMany(sendReport, items).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    complete: true,
    failures: [{ index: 1, error: { code: 'payload_too_large', maybeStored: false } }],
  });
});

test('where nobody has set Jetbeat up the error says so, and enqueueMany stops reading', async () => {
  const elsewhere = await connect({ servers: natsUrl(), namespace: testNamespace() });
  let read = 0;
  const endless = function* () {
    for (;;) yield { to: `${read++}` };
  };
  const error = await elsewhere.enqueueMany(sendReport, endless()).catch((thrown: unknown) => thrown);
  if (!(error instanceof EnqueueManyError)) throw new Error('it should have failed', { cause: error });
  expect(error.failures[0]?.error).toMatchObject({ code: 'no_stream', maybeStored: false });
  expect(error.complete).toBe(false);
  expect(read).toBeLessThan(3_000);
  await elsewhere.close();
});

test('a killed server: the error carries the id, and the repeat with it makes one job', async () => {
  const own = await startOwnNats();
  try {
    const ownBus = await connectBus({ servers: own.url, name: 'client test' });
    await ensureTopology(ownBus, { queues: ['mail'], ...testTopology });
    const mine = await connect({ servers: own.url });
    await mine.enqueue(sendReport, { to: 'before' });
    await own.kill();
    const error = await mine.enqueue(sendReport, { to: 'a' }).catch((thrown: unknown) => thrown);
    if (!(error instanceof EnqueueError)) throw new Error('it should have failed', { cause: error });
    expect(error.message).toContain(error.id);
    await own.start();
    const { id } = error;
    const job = await waitUntil('it is stored', () =>
      mine.enqueue(sendReport, { to: 'a' }, { id }).catch(() => undefined),
    );
    expect(job.id).toBe(error.id);
    expect(await messages(ownBus)).toBe(2);
    await mine.close();
    await acceptedEvents(ownBus, (events) => events.length >= 2);
    await ownBus.close();
  } finally {
    await own.stop();
  }
});

test('after close nothing is taken any more', async () => {
  const mine = await connect({ servers: natsUrl(), namespace, name: 'short' });
  await Promise.all([mine.close(), mine.close()]);
  await expect(mine.enqueue(sendReport, { to: 'a' })).rejects.toMatchObject({
    code: 'nats_closed',
    maybeStored: false,
  });
});
