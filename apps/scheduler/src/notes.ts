import type { Published } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';

/** Notes in history what was published, a moment later. */
export interface Notes {
  /** Takes what was published; resolves at once, or when there is room for it. */
  add(rows: readonly Published[]): Promise<void>;
  /** Writes what is left. */
  stop(): Promise<void>;
}

/** More are written at once: memory has an end. */
const MAX_WAITING = 5_000;

/**
 * Puts notes off by `delayMs`: most jobs are run and recorded by then, and need no note any more, which would otherwise be
 * the dearest write of them all. `delayMs` stays far below what the recorder gives a publish before it looks for it (5 s).
 */
export function createNotes(params: {
  note: (rows: readonly Published[]) => Promise<void>;
  delayMs: number;
  log: Pick<Log, 'warn'>;
}): Notes {
  const { note, delayMs, log } = params;
  let waiting: Published[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    const rows = waiting;
    waiting = [];
    writing = writing.then(async () => {
      if (rows.length === 0) return;
      await note(rows).catch((error: unknown) => {
        const text = 'published jobs could not be noted: reconcile will find them';
        log.warn({ err: error, jobs: rows.length }, text);
      });
    });
    return writing;
  };
  return {
    async add(rows) {
      waiting.push(...rows);
      timer ??= setTimeout(write, delayMs);
      if (waiting.length >= MAX_WAITING) await write();
    },
    stop: write,
  };
}
