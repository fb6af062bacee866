import { claimRate, type JobRate, type RateAnswer, type RateAsk } from '@jetbeat/core';
import {
  type Bus,
  changeSemaphore,
  type EventPublisher,
  keepRate,
  type LeaseWatch,
  rateState,
  releaseRated,
  removeParkedAt,
} from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { Held } from '../held.ts';
import { createRateLooks } from './rate-looks.ts';
import type { TaskLimits } from './task-limits.ts';

/**
 * What a job is told that asks its rate. `start`: it may begin until `beginBy`, Unix milliseconds; `proven`: it was let go for this very step, so that
 * nobody can have run it before. `wait`: it has to be parked. `doubt`: it has to be asked about first. `later`: it cannot be said now.
 */
type RateClaim =
  | { readonly kind: 'start'; readonly proven: boolean; readonly beginBy: number }
  | { readonly kind: 'wait' | 'later' | 'closed' | 'doubt' };

/** Rates of tasks and keys: jobs that may not begin yet are parked. */
export interface Rates {
  /** Whether the job would only be parked; cheap. */
  isLate(held: Held, rate: JobRate): boolean;
  /** Takes a start; resolves when it is due. `sure`: nobody has run this step. */
  claim(held: Held, rate: JobRate, sure: boolean): Promise<RateClaim>;
  /** It was parked. */
  parked(rate: JobRate): void;
  /** A slot of a key is free: of jobs that are parked for this rate one may go, whose key was busy. */
  freed(rate: JobRate): void;
  /** A handler has ended, so that another may begin. */
  next(): void;
  /** Another rate may hold. */
  changed(): void;
  /** For how many rates jobs ask here. */
  readonly asked: number;
  /** Lets nothing begin any more. */
  close(): void;
  stop(): Promise<void>;
}

/** A job that asks. */
interface Ask {
  readonly held: Held;
  readonly unsure: boolean;
  readonly answer: (claim: RateClaim) => void;
  /** By `performance.now()`. */
  readonly since: number;
  /** It was let go for this step. */
  proven: boolean;
  /** It had a start, and was too late for it. */
  again: boolean;
}

/** Those that ask for one rate. */
interface Line {
  rate: JobRate;
  asks: Ask[];
  asking: boolean;
  soon: NodeJS.Immediate | undefined;
}

/** How late a start may be used, milliseconds. */
const USE_WITHIN_MS = 100;
/** What cannot begin here, since all handlers run, is left to others after so long, milliseconds. */
const WAIT_MS = 1_000;
const ROUND_MS = 500;

/**
 * Composes it.
 * @param params.free how many handlers could begin at once
 */
export function createRates(params: {
  readonly bus: Bus;
  readonly events: EventPublisher;
  readonly leases: LeaseWatch;
  readonly limits: Pick<TaskLimits, 'keyed' | 'known' | 'rates'>;
  readonly free: () => number;
  readonly now: () => number;
  readonly log: Log;
}): Rates {
  const { bus, events, leases, limits, free, now, log } = params;
  const lines = new Map<string, Line>();
  /** Jobs that wait for a start that is theirs. */
  const assigned = new Map<Ask, NodeJS.Timeout>();
  let rounds: NodeJS.Timeout | undefined;
  let closed = false;

  const looks = createRateLooks({
    now,
    look: (hash, from) =>
      releaseRated({ bus, events, leases, hash, now, from, rateOf: limits.known, keyed: limits.keyed }),
    onError: (err) => log.warn({ err }, 'the jobs of a rate could not be let go; trying again'),
  });

  /** Whoever has parked jobs may have been killed since. */
  const watchAll = () => {
    for (const hash of limits.rates()) looks.watch(hash);
  };
  watchAll();

  /** Uses a start that is due. One that is late is lost: used, it would come too close to the next ones. */
  const begin = (line: Line, ask: Ask, { at, proven }: { at: number; proven: boolean }) => {
    assigned.delete(ask);
    ask.proven ||= proven;
    const { periodMs, limit } = line.rate;
    // Where they are far apart it may be late.
    const within = Math.max(USE_WITHIN_MS, periodMs / limit / 2);
    if (now() - at <= within) {
      return ask.answer({ kind: 'start', proven: ask.proven, beginBy: at + within });
    }
    ask.again = true;
    join(line.rate, ask);
  };
  const join = (rate: JobRate, ask: Ask) => {
    const line: Line = lines.get(rate.hash) ?? { rate, asks: [], asking: false, soon: undefined };
    lines.set(rate.hash, line);
    // What was heard last is what holds.
    line.rate = rate;
    line.asks.push(ask);
    // What came together asks together, the oldest first.
    line.soon ??= setImmediate(() => {
      line.soon = undefined;
      flush(line);
    });
  };
  const use = (line: Line, ask: Ask, answer: RateAnswer) => {
    if (closed) return ask.answer({ kind: 'closed' });
    if (answer.kind !== 'start') {
      if (answer.kind === 'wait') looks.watch(line.rate.hash);
      return ask.answer({ kind: answer.kind === 'elsewhere' ? 'later' : answer.kind });
    }
    const ms = answer.at - now();
    if (ms <= 0) return begin(line, ask, answer);
    assigned.set(
      ask,
      setTimeout(() => begin(line, ask, answer), ms),
    );
  };
  /** Asks for as many as could begin, all at once. */
  const flush = (line: Line): void => {
    const count = Math.min(line.asks.length, Math.max(0, free() - assigned.size));
    if (line.asking || count === 0) return;
    line.asking = true;
    const asks = line.asks.splice(0, count);
    claimAll(line.rate, asks)
      .then(
        (answers) => {
          for (const [index, ask] of asks.entries()) use(line, ask, answers[index] ?? { kind: 'wait' });
        },
        (err: unknown) => {
          log.warn({ err, rate: line.rate.name }, 'no starts of a rate could be had; trying again');
          for (const { answer } of asks) answer({ kind: 'later' });
        },
      )
      .finally(() => {
        line.asking = false;
        if (line.asks.length > 0) flush(line);
        else if (lines.get(line.rate.hash) === line) lines.delete(line.rate.hash);
      });
  };
  const claimAll = async (rate: JobRate, asks: readonly Ask[]): Promise<readonly RateAnswer[]> => {
    // What was let go once must not be let go again while it runs.
    await Promise.all(
      asks
        .filter(({ held }) => held.traced || held.job.parks > 0)
        .map(({ held: { job } }) =>
          removeParkedAt(bus, { queue: job.queue, what: { what: 'rate', hash: rate.hash }, id: job.id }),
        ),
    );
    const wanted = asks.map(({ held, again, unsure }): RateAsk => {
      const { id, parks } = held.job;
      return { job: id, parks, again, unsure };
    });
    const { value } = await changeSemaphore<readonly RateAnswer[]>(bus, {
      name: rateState(rate.hash),
      keepMs: keepRate,
      decide(state) {
        const { next, answers } = claimRate(state, rate, wanted, now());
        const changes =
          !state.waiting ||
          next.pace !== state.pace ||
          next.lag !== state.lag ||
          answers.some(({ kind }) => kind === 'start');
        return changes ? { next, value: answers } : { value: answers };
      },
    });
    return value;
  };
  const leave = (ms: number) => {
    for (const line of lines.values()) {
      const late = line.asks.filter(({ since }) => performance.now() - since >= ms);
      line.asks = line.asks.filter((ask) => !late.includes(ask));
      for (const { answer } of late) answer({ kind: 'closed' });
      if (line.asks.length === 0 && !line.asking) lines.delete(line.rate.hash);
    }
  };
  const next = () => {
    for (const line of lines.values()) flush(line);
  };

  return {
    isLate: ({ job }, { hash }) => job.parks === 0 && looks.has(hash),
    claim: (held, rate, sure) =>
      new Promise((answer) => {
        if (closed) return answer({ kind: 'closed' });
        rounds ??= setInterval(() => {
          if (free() - assigned.size <= 0) leave(WAIT_MS);
          next();
        }, ROUND_MS);
        join(rate, { held, unsure: !sure, answer, since: performance.now(), proven: false, again: false });
      }),
    parked: ({ hash }) => looks.watch(hash),
    freed: ({ hash }) => looks.again(hash),
    next,
    get asked() {
      return lines.size;
    },
    changed() {
      looks.again();
      watchAll();
    },
    close() {
      closed = true;
      clearInterval(rounds);
      for (const [{ answer }, timer] of assigned) {
        clearTimeout(timer);
        answer({ kind: 'closed' });
      }
      assigned.clear();
      leave(0);
    },
    stop: () => looks.stop(),
  };
}
