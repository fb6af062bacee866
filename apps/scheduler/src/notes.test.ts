import type { Published } from '@jetbeat/jetstream';
import { expect, test, vi } from 'vitest';
import { createNotes } from './notes.ts';

function rows(count: number, from = 0): Published[] {
  return Array.from({ length: count }, (_, index) => ({ id: `job-${from + index}`, seq: from + index }));
}

test('what was published is noted together, a moment later', async () => {
  vi.useFakeTimers();
  try {
    const note = vi.fn(async () => {});
    const notes = createNotes({ note, delayMs: 500, log: { warn: vi.fn() } });
    await notes.add(rows(2));
    await vi.advanceTimersByTimeAsync(400);
    await notes.add(rows(1, 2));
    expect(note).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(100);
    expect(note.mock.calls).toEqual([[rows(3)]]);
    await notes.stop();
    expect(note).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
});

test('a stop writes what waits, and what is too much is written at once', async () => {
  const note = vi.fn(async () => {});
  const notes = createNotes({ note, delayMs: 60_000, log: { warn: vi.fn() } });
  await notes.add(rows(5_000));
  expect(note.mock.calls).toEqual([[rows(5_000)]]);
  await notes.add(rows(1));
  await notes.stop();
  await notes.stop();
  expect(note.mock.calls).toEqual([[rows(5_000)], [rows(1)]]);
});

test('a note that fails is told, and left to the recorder', async () => {
  const warn = vi.fn();
  const notes = createNotes({
    note: () => Promise.reject(new Error('away')),
    delayMs: 60_000,
    log: { warn },
  });
  await notes.add(rows(3));
  await notes.stop();
  expect(warn).toHaveBeenCalledWith(expect.objectContaining({ jobs: 3 }), expect.any(String));
});
