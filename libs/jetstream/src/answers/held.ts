import type { Position } from '@jetbeat/core';
import { createInbox } from '@nats-io/nats-core';
import { type Bus, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { pause } from '../connection/pause.ts';
import { type Serving, serve } from '../connection/serving.ts';
import { inNamespace } from '../streams/names.ts';

/** Which workers hold which of some jobs. */
export interface HeldQuestion {
  readonly ids: readonly string[];
  /** Ids of the live workers: the question ends when all of them have answered. With none, a cancel waits for whoever there is. */
  readonly expect: readonly string[];
  readonly timeoutMs: number;
  /** Whoever holds one that has not begun drops it, and answers that it has not begun. */
  readonly cancel?: boolean;
}

/** What the workers said. */
export interface HeldAnswers {
  readonly held: Map<string, HeldJob & { readonly worker: string }>;
  /** Those that answered, expected or not. */
  readonly answered: Set<string>;
}

/** One job that a worker holds. */
export interface HeldJob {
  readonly id: string;
  /** Its handler has begun. */
  readonly begun: boolean;
  /** Its handler has ended, and what it came to is being stored. */
  readonly settling?: boolean;
  /** Where it stands; absent where only the keep-alive thread can answer. */
  readonly position?: Position;
}

const SUBJECT = 'questions.held';
const decoder = new TextDecoder();

/** Asks all workers which of these jobs they hold, until all expected ones have answered or the time is over. Never rejects. */
export async function askHeld(bus: Bus, question: HeldQuestion): Promise<HeldAnswers> {
  const inner = inside(bus);
  const held: HeldAnswers['held'] = new Map();
  const answered = new Set<string>();
  const missing = new Set(question.expect);
  const all = new AbortController();
  const end = performance.now() + question.timeoutMs;
  if ((missing.size === 0 && question.cancel !== true) || !(await inner.whenConnected(question.timeoutMs))) {
    return { held, answered };
  }
  const inbox = createInbox();
  const subscription = inner.nc.subscribe(inbox, {
    callback: (error, message) => {
      // Nobody listens at all.
      if (!error && message.data.length === 0) return all.abort();
      const answer = error ? undefined : readAnswer(message.data);
      if (!answer) return;
      answered.add(answer.worker);
      missing.delete(answer.worker);
      for (const job of answer.held) {
        if (held.get(job.id)?.begun !== true) held.set(job.id, { ...job, worker: answer.worker });
      }
      if (missing.size === 0 && question.expect.length > 0) all.abort();
    },
  });
  try {
    const body = JSON.stringify({ ids: question.ids, cancel: question.cancel === true });
    inner.nc.publish(inNamespace(inner, SUBJECT), body, { reply: inbox });
    await pause(Math.max(0, end - performance.now()), AbortSignal.any([all.signal, inner.closing.signal]));
  } finally {
    if (!inner.nc.isClosed()) subscription.unsubscribe();
  }
  return { held, answered };
}

/**
 * Answers for one worker which jobs it holds; it answers always, also with none. A handler that gives `undefined` leaves
 * the answer to somebody else of the same worker.
 */
export function serveHeld(
  bus: Bus,
  workerId: string,
  handler: (question: { ids: string[]; cancel: boolean }) => HeldJob[] | undefined,
  options: { readonly log?: Log } = {},
): Serving {
  const inner = inside(bus);
  return serve(inner, {
    subject: inNamespace(inner, SUBJECT),
    log: options.log ?? inner.log,
    answer: (asked) => {
      const { ids, cancel } = asked as { ids: string[]; cancel?: boolean };
      const held = handler({ ids, cancel: cancel === true });
      return held && { worker: workerId, held };
    },
  });
}

function readAnswer(data: Uint8Array): { worker: string; held: HeldJob[] } | undefined {
  try {
    const answer = JSON.parse(decoder.decode(data)) as { worker?: unknown; held?: unknown };
    if (typeof answer.worker !== 'string' || !Array.isArray(answer.held)) return undefined;
    return { worker: answer.worker, held: answer.held as HeldJob[] };
  } catch {
    return undefined;
  }
}
