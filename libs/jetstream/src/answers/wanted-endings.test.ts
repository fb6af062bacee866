import { randomUUID } from 'node:crypto';
import { createInbox } from '@nats-io/nats-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace } from '../../../../test/support/nats.ts';
import { type Bus, inside } from '../connection/bus.ts';
import { connectBus } from '../connection/connect-bus.ts';
import { silentLog } from '../connection/log.ts';
import { serve } from '../connection/serving.ts';
import { inNamespace } from '../streams/names.ts';
import { WANTED } from './heard-endings.ts';
import { askResult, serveResults } from './results.ts';
import { openWantedEndings, type WantedEndings } from './wanted-endings.ts';

const namespace = testNamespace();
let callers: [Bus, Bus, Bus];
let worker: Bus;
let wanted: WantedEndings;

beforeAll(async () => {
  const connect = (name: string) => connectBus({ servers: natsUrl(), name, namespace });
  callers = [await connect('a'), await connect('b'), await connect('c')];
  worker = await connect('worker');
  wanted = openWantedEndings(worker);
  await worker.flush();
});
afterAll(() => Promise.all([...(callers ?? []), worker].map((bus) => bus?.close())));

const ask = (bus: Bus, id: string, timeoutMs = 10_000) => askResult(bus, { id, timeoutMs, workers: true });

test('nobody asks: nothing is to be told', () => {
  expect(wanted.any).toBe(false);
});

test('without a recorder the worker answers everybody who waits, once it is over', async () => {
  const [a, b] = callers;
  const id = randomUUID();
  const asked = [ask(a, id), ask(a, id), ask(b, id)];
  await Promise.all([a.flush(), b.flush()]);
  await worker.flush();
  expect(wanted.any).toBe(true);
  wanted.tell(randomUUID(), { state: 'succeeded', task: 't' });
  wanted.tell(id, { state: 'succeeded', task: 't', result: { n: 1 } });
  const ending = { state: 'succeeded', task: 't', result: { n: 1 } };
  expect(await Promise.all(asked)).toEqual([ending, ending, ending]);
});

test('who asks a moment after the end is told all the same', async () => {
  const id = randomUUID();
  wanted.tell(id, { state: 'dead', task: 't', error: { name: 'E', message: 'm' } });
  expect(await ask(callers[0], id)).toEqual({ state: 'dead', task: 't', error: { name: 'E', message: 'm' } });
});

test('what is large is not kept for who asks later, and takes the place of nothing that is', async () => {
  const large = { state: 'succeeded', result: 'x'.repeat(70_000) } as const;
  for (let n = 0; n < 300; n++) wanted.tell(randomUUID(), large);
  const id = randomUUID();
  wanted.tell(id, { state: 'succeeded', result: 'small' });
  expect(await ask(callers[0], id)).toEqual({ state: 'succeeded', result: 'small' });
});

test('an answer goes to inboxes alone, wherever who asks would have it', async () => {
  const { nc } = inside(callers[0]);
  const subjects = ['jobs.forged', '_INBOXES.a', '_INBOX.'];
  const heard: string[] = [];
  const inbox = createInbox();
  for (const subject of [...subjects.slice(0, 2), inbox])
    nc.subscribe(subject, { callback: (_, message) => void heard.push(message.subject) });
  const questions = serve(inside(worker), { subject: 'asked', log: silentLog, answer: () => 'yes' });
  await Promise.all([callers[0].flush(), worker.flush()]);
  const id = randomUUID();
  for (const reply of [...subjects, inbox]) {
    nc.publish('asked', '1', { reply });
    nc.publish(inNamespace(inside(worker), WANTED), JSON.stringify({ ids: [id] }), { reply });
  }
  await callers[0].flush();
  await worker.flush();
  wanted.tell(id, { state: 'succeeded' });
  await expect.poll(() => heard.length).toBeGreaterThanOrEqual(2);
  await worker.flush();
  await callers[0].flush();
  expect(heard).toEqual([inbox, inbox]);
  await questions.close();
});

test('hundreds that are asked for together are heard', async () => {
  const ids = Array.from({ length: 1_200 }, () => randomUUID());
  const asked = Promise.all(ids.map((id) => ask(callers[0], id)));
  await callers[0].flush();
  await worker.flush();
  for (const id of ids) wanted.tell(id, { state: 'succeeded', result: id });
  expect((await asked).map((ending) => ending?.result)).toEqual(ids);
});

test('another namespace hears nothing', async () => {
  const stranger = await connectBus({ servers: natsUrl(), name: 'stranger', namespace: testNamespace() });
  const id = randomUUID();
  const theirs = ask(stranger, id, 300);
  const ours = ask(callers[0], id);
  await Promise.all([stranger.flush(), callers[0].flush()]);
  await worker.flush();
  wanted.tell(id, { state: 'succeeded' });
  expect(await ours).toEqual({ state: 'succeeded' });
  expect(await theirs).toBeUndefined();
  await stranger.close();
});

test('what is large is left to the recorder; without `workers` the recorder alone is heard', async () => {
  const large = { state: 'succeeded', result: 'x'.repeat(70_000) } as const;
  let release = (_ending: object) => {};
  const asked = Promise.withResolvers<void>();
  const recorder = serveResults(callers[2], () => {
    asked.resolve();
    return new Promise((resolve) => {
      release = resolve;
    });
  });
  await callers[2].flush();
  const first = ask(callers[0], randomUUID());
  await asked.promise;
  release({ state: 'succeeded', result: 'history' });
  expect(await first).toMatchObject({ result: 'history' });

  const id = randomUUID();
  let answered = 0;
  const both = [ask(callers[0], id), askResult(callers[1], { id, timeoutMs: 10_000 })].map((one) =>
    one.then((ending) => {
      answered++;
      return ending;
    }),
  );
  await Promise.all([callers[0].flush(), callers[1].flush()]);
  await worker.flush();
  wanted.tell(id, large);
  await worker.flush();
  await callers[0].flush();
  expect(answered).toBe(0);
  release({ state: 'succeeded', result: 'history' });
  const one = await Promise.race(both);
  expect(one).toMatchObject({ result: 'history' });
  await recorder.close();
  for (const bus of callers) await bus.close();
  await Promise.all(both);
});
