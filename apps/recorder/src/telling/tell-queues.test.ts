import { ensureTopology, jobsStreamState, putQueueSettings, watchQueueSettings } from '@jetbeat/jetstream';
import { changeQueue } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { testTopology } from '../../../../test/support/nats.ts';
import { createRecorderBench } from '../../../../test/support/recorder.ts';
import { waitUntil } from '../../../../test/support/wait-until.ts';
import { tellQueues } from './tell-queues.ts';

test('the recorder tells what PostgreSQL says of queues, also what was told wrong or lost', async () => {
  const { bus, db, start } = await createRecorderBench();
  await start({ times: { queuesEveryMs: 100 } });
  const watching = watchQueueSettings(bus);
  await watching.load();
  expect(watching.of('default')).toEqual({ version: 1 });
  const paused = { by: 'ops', since: 1 };
  await changeQueue(db, { name: 'mail', now: Date.now(), change: () => ({ paused }) });
  await waitUntil('the pause is told', () => watching.isPaused('mail'));
  await putQueueSettings(bus, 'mail', { version: 99 });
  await waitUntil(
    'the pause is told again',
    () => watching.of('mail')?.version === 1 && watching.isPaused('mail'),
  );
  watching.close();
}, 30_000);

test('the mark of a purge is told only of the stream that it was made for', async () => {
  const { bus, db } = await createRecorderBench();
  await ensureTopology(bus, { queues: [], ...testTopology });
  const { created } = await jobsStreamState(bus);
  const purge = { upTo: 5, before: 6, at: 6, timers: false, by: 'ops', removed: 0 };
  const note = (streamCreated: number) =>
    changeQueue(db, { name: 'mail', now: 1, change: () => ({ purge: { ...purge, streamCreated } }) });
  const watching = watchQueueSettings(bus);
  await watching.load();
  await note(created);
  expect(await tellQueues({ bus, db })).toEqual(['mail']);
  await waitUntil('the mark is told', () => watching.of('mail')?.purge?.upTo === 5);
  await note(created - 1);
  expect(await tellQueues({ bus, db })).toEqual(['mail']);
  await waitUntil('it is taken away', () => watching.of('mail')?.version === 2);
  expect(watching.of('mail')).not.toHaveProperty('purge');
  watching.close();
}, 30_000);
