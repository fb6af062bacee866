import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace, testTopology } from '../../../../test/support/nats.ts';
import { type Bus, inside } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { publishDead } from '../publishing/publish-one.ts';
import { inNamespace } from '../streams/names.ts';
import { ensureTopology } from '../streams/topology.ts';
import { testJob } from '../testing.ts';
import { deadMessage, deleteDeadMessage, findDeadJob, malformedMessages } from './dead-letters.ts';

let bus: Bus;
beforeAll(async () => {
  bus = await connectBus({ servers: natsUrl(), name: 'dead-letters', namespace: testNamespace() });
  await ensureTopology(bus, { queues: [], ...testTopology });
});
afterAll(() => bus?.close());

const malformed = (queue: string, seq: number) =>
  publishDead(bus, {
    reason: { code: 'malformed', text: 'no JSON' },
    from: {
      delivery: {
        subject: inNamespace(inside(bus), `jobs.${queue}.normal.a.b`),
        seq,
        data: Buffer.from(`no job ${seq}`),
        headers: new Map([['x-mine', 'kept']]),
      },
    },
  });

test('the dead letter of a job is found among others of its task, whole', async () => {
  const jobs = Array.from({ length: 300 }, (_, n) => testJob({ task: 'report.send', input: { n } }));
  const begun = Date.now();
  for (const envelope of jobs)
    await publishDead(bus, { reason: { code: 'rejected', text: 'no' }, from: { envelope } });
  const last = jobs.at(-1);
  if (!last) throw new Error('no job');
  const where = { id: last.id, queue: last.queue, task: last.task };
  const found = await findDeadJob(bus, { ...where, since: begun });
  expect(found).toMatchObject({
    queue: 'default',
    task: 'report.send',
    truncated: false,
    reason: { code: 'rejected', text: 'no' },
    envelope: { id: last.id, input: { n: 299 } },
  });
  expect(await findDeadJob(bus, { ...where, task: 'other', since: begun })).toBeUndefined();
  expect(await findDeadJob(bus, { ...where, since: Date.now() + 600_000 })).toBeUndefined();
  const seq = found?.seq ?? 0;
  expect(await deleteDeadMessage(bus, seq)).toBe(true);
  expect(await deleteDeadMessage(bus, seq)).toBe(false);
  expect(await deadMessage(bus, seq)).toBeUndefined();
  expect(await findDeadJob(bus, { ...where, since: begun })).toBeUndefined();
});

test('messages that never were a job are listed a page at a time, without the dead jobs between them', async () => {
  for (const seq of [1, 2, 3]) {
    await malformed(seq === 2 ? 'mail' : 'default', seq);
    await publishDead(bus, { reason: { code: 'rejected', text: 'no' }, from: { envelope: testJob() } });
  }
  const first = await malformedMessages(bus, { from: 1, limit: 2 });
  expect(first.messages.map(({ queue, from }) => [queue, from?.seq])).toEqual([
    ['default', 1],
    ['mail', 2],
  ]);
  const second = await malformedMessages(bus, { from: first.next ?? 0, limit: 2 });
  expect(second.messages.map(({ from }) => from?.seq)).toEqual([3]);
  expect(second.next).toBeUndefined();
  const ofMail = await malformedMessages(bus, { from: 1, limit: 9, queue: 'mail' });
  expect(ofMail.messages).toHaveLength(1);
  const [message] = ofMail.messages;
  const whole = await deadMessage(bus, message?.seq ?? 0);
  expect(Buffer.from(whole?.data ?? []).toString()).toBe('no job 2');
  expect(whole?.headers.get('x-mine')).toBe('kept');
  expect(whole).toMatchObject({ task: 'a.b', reason: { code: 'malformed', text: 'no JSON' } });
  expect(whole?.envelope).toBeUndefined();
});
