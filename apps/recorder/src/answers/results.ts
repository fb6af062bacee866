import { type Event, isTerminal } from '@jetbeat/core';
import type { JobEnding, Log } from '@jetbeat/jetstream';
import type { JobEndingRecord } from '@jetbeat/postgres';

/** Tells whoever asks what has become of a job, as soon as history knows its end. */
export interface Results {
  /** Waits for the end of a job; after `waitMs` at the latest it says how far the job is, as far as it is known. Never rejects. */
  ask(question: { readonly id: string; readonly waitMs: number }): Promise<JobEnding>;
  /** To be told of what was recorded. */
  note(events: readonly Event[]): void;
  /** Answers all that wait with what is known. */
  stop(): void;
}

/** What another recorder has recorded, or what ended without an event, is found by a look so often; milliseconds. */
const EVERY_MS = 250;
/** Jobs in one look. */
const CHUNK = 1_000;
/** Whoever finds no place asks again after so long. */
const FULL_MS = 1_000;

interface Asker {
  readonly answer: (ending: JobEnding) => void;
  readonly timer: NodeJS.Timeout;
}
/** A job that is waited for. */
interface Awaited {
  readonly askers: Set<Asker>;
  last: JobEnding;
}

/**
 * Nothing is done while nobody asks. With askers, what this recorder records itself is looked up at once, the rest four times
 * a second in one statement per thousand jobs.
 * @param params.maxAskers how many may wait at a time
 */
export function createResults(params: {
  readonly endings: (ids: readonly string[]) => Promise<readonly JobEndingRecord[]>;
  readonly log: Pick<Log, 'warn'>;
  readonly maxAskers?: number;
  readonly everyMs?: number;
}): Results {
  const { endings, log, maxAskers = 10_000, everyMs = EVERY_MS } = params;
  const awaited = new Map<string, Awaited>();
  const wanted = new Set<string>();
  let askers = 0;
  let timer: NodeJS.Timeout | undefined;
  let looking = false;

  const leave = (id: string, asker: Asker, ending: JobEnding) => {
    const job = awaited.get(id);
    if (!job?.askers.delete(asker)) return;
    askers--;
    clearTimeout(asker.timer);
    asker.answer(ending);
    if (job.askers.size === 0) awaited.delete(id);
    if (awaited.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const take = (id: string, ending: JobEnding) => {
    const job = awaited.get(id);
    if (!job) return;
    job.last = ending;
    if (ending.state !== undefined && isTerminal(ending.state))
      for (const asker of [...job.askers]) leave(id, asker, ending);
  };
  const run = async () => {
    // One turn of the event loop, so that what is asked together is looked up together.
    await new Promise(setImmediate);
    while (wanted.size > 0) {
      const ids = [...wanted].slice(0, CHUNK);
      for (const id of ids) wanted.delete(id);
      for (const { id, ...ending } of await endings(ids)) take(id, ending);
    }
  };
  const look = () => {
    if (looking) return;
    looking = true;
    run()
      .catch((err: unknown) => log.warn({ err }, 'cannot look up what became of jobs; trying again'))
      .finally(() => {
        looking = false;
      });
  };
  const lookOn = () => {
    timer ??= setInterval(() => {
      for (const id of awaited.keys()) wanted.add(id);
      look();
    }, everyMs);
  };

  return {
    ask({ id, waitMs }) {
      if (askers >= maxAskers) return Promise.resolve({ againMs: FULL_MS });
      return new Promise((answer) => {
        const job = awaited.get(id) ?? { askers: new Set(), last: {} };
        awaited.set(id, job);
        const asker: Asker = { answer, timer: setTimeout(() => leave(id, asker, job.last), waitMs) };
        job.askers.add(asker);
        askers++;
        wanted.add(id);
        look();
        lookOn();
      });
    },
    note(events) {
      if (awaited.size === 0) return;
      let found = false;
      for (const event of events) {
        const ended = event.kind === 'ended' || (event.kind === 'settled' && event.next.state !== 'retrying');
        if (!ended || !awaited.has(event.job)) continue;
        wanted.add(event.job);
        found = true;
      }
      if (found) look();
    },
    stop() {
      for (const [id, { askers, last }] of [...awaited]) {
        for (const asker of [...askers]) leave(id, asker, last);
      }
    },
  };
}
