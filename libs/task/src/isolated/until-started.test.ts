import { afterEach, expect, test } from 'vitest';
import { Cancel } from '../on-purpose.ts';
import { setUpRuns } from './isolated.fixture.ts';

type Runs = ReturnType<typeof setUpRuns>['runs'];
const open: Runs[] = [];
/** Child processes that cannot start until the list of their flags is emptied. */
function setUp(startForMs?: number) {
  const execArgv = ['--no-such-flag'];
  const more = startForMs === undefined ? {} : { startForMs };
  const made = setUpRuns({ kind: 'process' }, { execArgv, ...more });
  open.push(made.runs);
  return { ...made, execArgv };
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((runs) => runs.stop()));
});

test.each([{}, { alone: true }])(
  'what keeps children from starting is no word about the job: it begins as soon as one starts %j',
  async (more) => {
    const { runs, start, execArgv } = setUp();
    expect(runs.trouble).toBeUndefined();
    const { execution, lines } = start('who', {}, more);
    await expect.poll(() => runs.trouble).toContain('ended with exit code 9');
    execArgv.pop();
    expect(await execution).toMatchObject({ outcome: 'succeeded' });
    expect(runs.trouble).toBeUndefined();
    const told = 'nothing could be started for this run; tried again in 1000 ms';
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', message: told }));
  },
);

test('once a child has started nothing is amiss, however long what it runs takes', async () => {
  const { runs, start, execArgv } = setUp();
  const { begun, interrupt, execution } = start('obedient');
  await expect.poll(() => runs.trouble).toBeDefined();
  execArgv.pop();
  await begun;
  expect(runs.trouble).toBeUndefined();
  interrupt.abort(Cancel('seen enough'));
  expect(await execution).toMatchObject({ outcome: 'cancelled' });
});

test('where nothing starts for long the job is given back, and is not lost', async () => {
  const { start } = setUp(0);
  const execution = await start('who').execution;
  expect(execution).toMatchObject({ outcome: 'failed', interrupted: true });
  expect(execution.error?.message).toMatch(/^nothing could be started for it within 0 ms: its process ended/);
});

test('who waits for a child can be cancelled, and is given back when the worker stops', async () => {
  const { runs, start } = setUp();
  const first = start('who');
  const second = start('who');
  await expect.poll(() => runs.trouble).toBeDefined();
  first.interrupt.abort(Cancel('nobody wants it'));
  expect(await first.execution).toMatchObject({ outcome: 'cancelled' });
  await runs.stop();
  expect(await second.execution).toMatchObject({ interrupted: true });
});
