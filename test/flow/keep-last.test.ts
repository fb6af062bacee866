import { expect, test } from 'vitest';
import { useUniqueCalls } from '../support/unique-calls.ts';
import { hold } from './unique-tasks.ts';

const at = useUniqueCalls(['api', 'recorder', 'worker']);
const { post, end, gate } = at;

test('of those of which the last is kept one runs, and one waits, with the newest input', async () => {
  const call = (turn: number) => at.client.enqueue(hold, { ...gate('last'), turn }, { keepLast: 'last' });
  const first = await call(0);
  await at.gates.until('/last', 1);
  const second = await call(1);
  expect(second).toMatchObject({ created: true });
  await at.stack.http.jobIn(second.id, ['parked']);
  const third = await post({ task: 'unique.hold', input: { ...gate('last'), turn: 2 }, keepLast: 'last' });
  expect(third).toMatchObject({ created: true, replaced: second.id });
  const fourth = await call(3);
  expect(fourth).toMatchObject({ created: true, replaced: third.id });
  for (const { id } of [second, third])
    expect(await end(id)).toMatchObject({ state: 'cancelled', reason: { code: 'replaced' }, attempts: [] });
  expect(at.gates.entered('/last')).toBe(1);
  at.gates.open('/last');
  expect(await end(first.id)).toMatchObject({ state: 'succeeded', result: { turn: 0 } });
  expect(await end(fourth.id)).toMatchObject({ state: 'succeeded', result: { turn: 3 } });
  expect(at.gates.entered('/last')).toBe(2);
}, 60_000);

const hour = { attempts: 3, backoff: 'fixed', delay: '1h' } as const;

test.each([
  ['retry', { failures: 1 }],
  ['snooze', { snooze: '1h' }],
])('where the last is kept a %s waits as any other: the next call takes its place', async (name, input) => {
  const keepLast = `${name} waits`;
  at.gates.open(`/${name}-waits`);
  const options = { keepLast, retry: hour };
  const first = await at.client.enqueue(hold, { ...gate(`${name}-waits`), ...input }, options);
  await at.stack.http.jobIn(first.id, ['retrying']);
  const second = await at.client.enqueue(hold, { ...gate(`${name}-waits`), turn: 2 }, options);
  expect(second).toMatchObject({ created: true, replaced: first.id });
  expect(await end(second.id)).toMatchObject({ state: 'succeeded', result: { turn: 2 } });
  const old = await end(first.id);
  expect(old).toMatchObject({ state: 'cancelled', reason: { code: 'replaced' } });
  expect(old.attempts).toHaveLength(1);
});

test('where the last is kept a failed run is not tried again when a newer job waits', async () => {
  const call = (more: object) =>
    at.client.enqueue(hold, { ...gate('behind'), ...more }, { keepLast: 'behind', retry: hour });
  const first = await call({ failures: 1 });
  await at.gates.until('/behind', 1);
  const second = await call({ turn: 2 });
  expect(second.replaced).toBeUndefined();
  await at.stack.http.jobIn(second.id, ['parked']);
  at.gates.open('/behind');
  expect(await end(second.id)).toMatchObject({ state: 'succeeded', result: { turn: 2 } });
  const old = await end(first.id);
  expect(old).toMatchObject({ state: 'cancelled', reason: { code: 'replaced' } });
  expect(old.attempts).toMatchObject([{ outcome: 'failed' }]);
  expect(at.gates.entered('/behind')).toBe(2);
});

test('of 40 concurrent calls that keep the last two run: the one that ran, and one that waited', async () => {
  const first = await at.client.enqueue(hold, gate('crowd'), { keepLast: 'crowd' });
  await at.gates.until('/crowd', 1);
  const made = await Promise.all(
    Array.from({ length: 40 }, async (_, index) =>
      index % 2
        ? at.client.enqueue(hold, gate('crowd'), { keepLast: 'crowd' })
        : post({ task: 'unique.hold', input: gate('crowd'), keepLast: 'crowd' }),
    ),
  );
  at.gates.open('/crowd');
  const ends = await Promise.all([first, ...made].map(({ id }) => end(id)));
  expect(ends.filter(({ state }) => state === 'succeeded')).toHaveLength(2);
  expect(ends.filter(({ state }) => state === 'cancelled')).toHaveLength(39);
  expect(at.gates.entered('/crowd')).toBe(2);
}, 60_000);
