import fc from 'fast-check';
import { expect, test } from 'vitest';
import { childJobId, isUuid, occurrenceJobId, replayJobId, uuidTime, uuidV7, uuidV7From } from './ids.ts';

const random = new Uint8Array(10).fill(0xff);

test('a UUIDv7 carries its time, its version and its variant, and sorts by time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 48 - 2 }),
      fc.uint8Array({ minLength: 10, maxLength: 10 }),
      (ms, bytes) => {
        const id = uuidV7(ms, bytes);
        expect(isUuid(id)).toBe(true);
        expect(uuidTime(id)).toBe(ms);
        expect(id[14]).toBe('7');
        expect('89ab').toContain(id[19]);
        expect(id < uuidV7(ms + 1, bytes)).toBe(true);
      },
    ),
  );
  expect(uuidTime(uuidV7(-5, random))).toBe(0);
});

test('a UUIDv7 of a v4 has the time and the random bits', () => {
  const id = uuidV7From(1_763_641_036_123, 'f47ac10b-58cc-4372-a567-0e02b2c3d479');
  expect(id.slice(14)).toBe('7372-a567-0e02b2c3d479');
  expect([isUuid(id), uuidTime(id)]).toEqual([true, 1_763_641_036_123]);
  expect(uuidTime(uuidV7From(-5, id))).toBe(0);
});

test('only the canonical form is an id', () => {
  const id = uuidV7(1, random);
  for (const wrong of [id.toUpperCase(), `${id}0`, id.slice(1), '', undefined, 5, {}])
    expect(isUuid(wrong)).toBe(false);
});

test('an occurrence names one job, whoever asks, and another one names another', () => {
  const schedule = uuidV7(5, random);
  const id = occurrenceJobId(schedule, 1_700_000_000_000, 'plan');
  expect(occurrenceJobId(schedule, 1_700_000_000_000, 'plan')).toBe(id);
  expect(uuidTime(id)).toBe(1_700_000_000_000);
  const others = [
    occurrenceJobId(schedule, 1_700_000_000_001, 'plan'),
    occurrenceJobId(schedule, 1_700_000_000_000, 'trigger:1'),
    occurrenceJobId(uuidV7(6, random), 1_700_000_000_000, 'plan'),
  ];
  expect(new Set([id, ...others]).size).toBe(4);
});

test('a child has the time of its parent and its own id for each call', () => {
  const parent = uuidV7(1_700_000_000_000, random);
  expect(childJobId(parent, 'a')).toBe(childJobId(parent, 'a'));
  expect(childJobId(parent, 'a')).not.toBe(childJobId(parent, 'b'));
  expect(uuidTime(childJobId(parent, 'a'))).toBe(1_700_000_000_000);
});

test('a replay of many has one job for each dead one, whoever makes it', () => {
  const [replay, dead] = [uuidV7(5, random), uuidV7(6, random)];
  const id = replayJobId(replay, dead, 1_700_000_000_000);
  expect(id).toBe(replayJobId(replay, dead, 1_700_000_000_000));
  expect(id).not.toBe(replayJobId(dead, replay, 1_700_000_000_000));
  expect(uuidTime(id)).toBe(1_700_000_000_000);
});
