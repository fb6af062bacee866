import { isTerminal, type JobEnvelope, type JobState, type UniqueAsk } from '@jetbeat/core';
import { clearReplaced, createEventPublisher, giveUpKey, type TakenKey, takeKey } from '@jetbeat/jetstream';
import { type Database, keyedStates } from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';
import type { Messaging } from '../messaging.ts';
import { ApiError } from '../problems/problem.ts';

/** The job that has the key which a request asked for. */
export interface ExistingJob {
  readonly id: string;
  readonly state: JobState;
}

/** What a request may go on with: its job is to be stored. */
interface KeyHeld {
  readonly existing?: undefined;
  /** When the job is to run, Unix milliseconds: a debounced one waits no longer than its `maxWait` allows. */
  readonly runAt: number;
  /** The job whose place it takes. */
  readonly replaced?: string;
  /** The job is stored: what it replaces is cleared away. Never rejects. */
  stored(): Promise<void>;
  /** The job is certainly not stored. Never rejects. */
  giveUp(): Promise<void>;
}

/** Unique keys, for requests. */
export interface UniquePorts {
  /**
   * Asks for the key of a job, before it is stored.
   * @throws ApiError messaging_unavailable without NATS, which alone knows who has a key
   */
  take(job: JobEnvelope, ask: UniqueAsk): Promise<KeyHeld | { readonly existing: ExistingJob }>;
}

/** Keys on the real servers. */
export function createUniquePorts(params: {
  db: Database;
  /** Undefined while NATS has not answered yet. */
  messaging: () => Messaging | undefined;
  clock: () => number;
  log: Pick<Log, 'warn'>;
}): UniquePorts {
  const { db, messaging, clock, log } = params;
  const connected = () => {
    const found = messaging();
    if (found?.bus.connected) return found.bus;
    const message = 'NATS does not answer, and it alone knows whether another job has this key; repeat later';
    throw new ApiError('messaging_unavailable', message, { retryAfter: 5 });
  };
  const stateOf = async (id: string) => (await keyedStates(db, [id])).get(id)?.state;

  return {
    async take(job, ask) {
      const bus = connected();
      const now = clock();
      let taken = await takeKey(bus, { ask, job, now });
      if (taken.answer === 'existing') {
        const { id, runAt } = taken.holder;
        const state = await stateOf(id);
        if (state === undefined || !isTerminal(state) || taken.timed)
          return { existing: { id, state: state ?? (runAt > now ? 'scheduled' : 'queued') } };
        // It was cancelled, or its worker died before it could free the key.
        taken = await takeKey(bus, { ask, job, now, over: id });
        if (taken.answer === 'existing') {
          const other = taken.holder.id;
          return { existing: { id: other, state: (await stateOf(other)) ?? 'queued' } };
        }
      }
      return held(taken, job);
    },
  };

  function held(taken: TakenKey, job: JobEnvelope): KeyHeld {
    const { replaces: replaced, answer } = taken;
    const old = answer === 'replaced' ? replaced.at(-1)?.id : undefined;
    return {
      runAt: taken.holder.runAt,
      ...(old === undefined ? {} : { replaced: old }),
      async stored() {
        if (replaced.length === 0) return;
        const bus = connected();
        const events = createEventPublisher(bus, {});
        try {
          await clearReplaced(bus, events, { job, now: clock() });
        } catch (err) {
          log.warn({ err, job: job.id }, 'what it replaces is not cleared away yet: a recorder will');
        } finally {
          await events.close();
        }
      },
      async giveUp() {
        await giveUpKey(connected(), job).catch(() => {});
      },
    };
  }
}
