import { randomBytes } from 'node:crypto';
import { FIRST_POSITION, type JobEnvelope, needsLook, uuidV7 } from '@jetbeat/core';
import { openJobSource, publishJobs } from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import { createRecorderBench } from '../../../../test/support/recorder.ts';
import { streamFacts } from './stream-facts.ts';

test('what was never parked waits behind its own lane, whatever was put back is handed out meanwhile', async () => {
  const { bus } = await createRecorderBench();
  const now = Date.now();
  const place = { queue: 'default', priority: 'normal' } as const;
  const newJob = (): JobEnvelope => ({
    v: 1,
    id: uuidV7(now, randomBytes(10)),
    task: 'a',
    ...place,
    input: null,
    createdAt: now,
    runAt: now,
    ...FIRST_POSITION,
  });
  const results = await publishJobs(bus, [{ envelope: newJob() }, { envelope: newJob(), front: true }]);
  const [plain = 0, front = 0] = results.map((result) => (result.ok ? result.seq : 0));
  const ended = Promise.withResolvers<void>();
  const source = openJobSource(bus, { queue: 'default', onDelivery() {}, onPullEnd: () => ended.resolve() });
  source.pull('normal-front', { batch: 1 });
  await ended.promise;

  const factsOf = await streamFacts(bus, [place]);
  const facts = [0, 1].map((parks) => factsOf({ ...place, parks }));
  expect(facts.map(({ consumer }) => consumer.delivered)).toEqual([0, front]);
  const waits = { published: true, seq: plain };
  expect(facts.map((known) => needsLook(waits, known))).toEqual([false, true]);
  await source.close();
});
