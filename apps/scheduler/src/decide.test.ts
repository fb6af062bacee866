import { readSettings } from '@jetbeat/core';
import type { DueOccurrence } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { decideOccurrence } from './decide.ts';
import { createRecurrences } from './recurrences.ts';

const NOON = Date.parse('2026-01-01T12:00:00Z');
const MINUTE = 60_000;

/** A run that is caught up an hour late, with a job of the same lane open. */
function due(change: Partial<DueOccurrence> = {}): DueOccurrence {
  const definition = {
    name: 's',
    when: { every: MINUTE },
    timeZone: 'UTC',
    overlap: 'skip',
    catchUp: 'latest',
    job: { task: 'system.echo', input: null },
  } as DueOccurrence['schedule']['definition'];
  const [createdAt, updatedAt, cursor] = [NOON, NOON, NOON];
  return {
    schedule: { id: 'id', name: 's', version: 1, runs: 0, createdAt, updatedAt, cursor, definition },
    nominalTime: NOON,
    origin: 'plan',
    dispatchAt: NOON,
    isBuffered: false,
    openJobs: 1,
    ...change,
  };
}

const now = NOON + 60 * MINUTE;
const params = {
  recurrences: createRecurrences({}),
  taskOf: () => undefined,
  settings: readSettings({}),
  log: { error: () => {} },
};
const known = { now, recordedUpTo: 7, lastSeq: 9 };

test('a run that is caught up long after its time waits for history, as one on time does', () => {
  const first = decideOccurrence(params, due(), known);
  expect(first).toEqual({ do: 'wait', eventsSeq: 9, until: now + 5_000 });
  const again = due({ waitedForSeq: 9, waitUntil: now + 5_000 });
  expect(decideOccurrence(params, again, { ...known, now: now + 4_000 })).toEqual(first);
  expect(decideOccurrence(params, again, { ...known, now: now + 5_000 })).toMatchObject({ do: 'skip' });
});

test('what one waits for whose definition cannot be read says nothing once it can', () => {
  const unreadable = decideOccurrence(params, due({ openJobs: 0, schedule: broken() }), known);
  expect(unreadable).toMatchObject({ do: 'wait', until: now + MINUTE });
  const { eventsSeq: waitedForSeq, until: waitUntil } = unreadable as { eventsSeq: number; until: number };
  const mended = due({ waitedForSeq, waitUntil });
  expect(decideOccurrence(params, mended, { ...known, now: waitUntil })).toEqual({
    do: 'wait',
    eventsSeq: 9,
    until: waitUntil + 5_000,
  });
});

function broken(): DueOccurrence['schedule'] {
  const { schedule } = due();
  return { ...schedule, definition: { ...schedule.definition, timeZone: 'Mars/Olympus' }, version: 2 };
}
