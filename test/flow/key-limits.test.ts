import { putTaskSettings } from '@jetbeat/jetstream';
import { changeTaskLimits, taskSettingsOf } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench } from '../support/recorder.ts';
import { createWorkerBench } from '../support/worker-bench.ts';

/** Workers whose task is said to have a key, and what is known of its runs. */
async function bench() {
  const made = await createRecorderBench();
  await made.start();
  const workers = createWorkerBench(made);
  const name = 'test.held';
  /** Says at run time how many run at once; nothing: as many as like. */
  const say = async (limit?: number) => {
    const concurrency = limit === undefined ? null : { key: 'all', limit };
    const said = { name, now: Date.now(), change: () => ({ concurrency }) };
    await putTaskSettings(made.bus, name, taskSettingsOf(await changeTaskLimits(made.db, said)));
  };
  await say(1);
  await Promise.all(['a', 'b'].map((name) => workers.start(name, { concurrency: 6 })));
  let ended = 0;
  const endNext = () => workers.begun[ended++]?.end();
  const running = () => workers.begun.length - ended;
  return { workers, say, endNext, running };
}

test('a limit of a key that is raised at run time lets parked jobs go within seconds; a lower one holds for what begins next', async () => {
  const { workers, say, endNext, running } = await bench();
  await workers.publish(10);
  await workers.until(1);
  expect(running()).toBe(1);
  const said = performance.now();
  await say(4);
  await workers.until(4);
  expect(performance.now() - said).toBeLessThan(8_000);

  await say(2);
  // Two more than may run now have to end first. What began too early would be seen in the next round.
  for (let begun = 4; begun < 10; begun++) {
    expect([begun, workers.begun.length]).toEqual([begun, begun]);
    if (begun === 4) for (let over = 0; over < 2; over++) endNext();
    endNext();
    await workers.until(begun + 1);
    expect(running()).toBe(2);
  }
}, 60_000);

test('when a key is taken away at run time, what waits for it begins', async () => {
  const { workers, say, running } = await bench();
  await workers.publish(8);
  await workers.until(1);
  expect(running()).toBe(1);
  await say();
  await workers.until(8);
}, 60_000);

test('a worker whose abandoned handler keeps the slot of a key has to end', async () => {
  const made = await createRecorderBench();
  await made.start();
  const workers = createWorkerBench(made);
  const stuck = await workers.start('stuck', { concurrency: 4, lingerMs: 300 });
  const limits = { timeout: { hard: 200 }, retry: { attempts: 1 } };
  await workers.publish(1, { policy: { ...limits, concurrency: { key: 'one', limit: 1 } } });
  expect(await stuck.stopAsked).toMatchObject({
    message: expect.stringMatching(/^a handler of test\.held has kept a slot of a limit for 300 ms past/),
  });
});
