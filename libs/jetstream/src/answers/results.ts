import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { pause } from '../connection/pause.ts';
import { type Serving, serve } from '../connection/serving.ts';
import { checkId, inNamespace } from '../streams/names.ts';
import { HeardEndings } from './heard-endings.ts';
import { isOver, type JobEnding, readEnding } from './job-ending.ts';

const SUBJECT = 'questions.result';
/** How long one question waits at a recorder, milliseconds: one that dies costs its askers no more. */
const ROUND_MS = 5_000;
/** How much longer the answer may take than the recorder waits. */
const LATE_MS = 1_000;
/** The same at the end of the wait. */
const LAST_MS = 100;
const AGAIN_MS = 250;

/**
 * Waits for the end of a job: asks a recorder, which answers when the end is in history, and asks another one where that
 * does not answer. It goes on while NATS, every recorder or PostgreSQL is away.
 * @param params.workers the worker that ends it may say so too, which is sooner: history need not know of it yet
 * @param params.signal ends the wait early
 * @returns what was said last; its state is terminal if the job ended in time. Undefined when nobody has answered.
 */
export async function askResult(
  bus: Bus,
  params: {
    readonly id: string;
    readonly timeoutMs: number;
    readonly workers?: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<JobEnding | undefined> {
  const inner = inside(bus);
  const { timeoutMs, signal } = params;
  const id = checkId(params.id);
  const over = new AbortController();
  const stop = () => over.abort();
  const ends = [inner.closing.signal, ...(signal ? [signal] : [])];
  for (const end of ends) end.aborted ? stop() : end.addEventListener('abort', stop, { once: true });
  let told: JobEnding | undefined;
  const hearNoMore = params.workers
    ? inner.part(HeardEndings).hear(id, (ending) => {
        told = ending;
        stop();
      })
    : undefined;
  try {
    const last = await askRecorders(inner, id, timeoutMs, over.signal);
    return told ?? last;
  } finally {
    hearNoMore?.();
    for (const end of ends) end.removeEventListener('abort', stop);
  }
}

async function askRecorders(
  bus: BusConnection,
  id: string,
  timeoutMs: number,
  over: AbortSignal,
): Promise<JobEnding | undefined> {
  const end = performance.now() + timeoutMs;
  const left = () => end - performance.now();
  let last: JobEnding | undefined;
  while (left() > 0 && !over.aborted) {
    const ending = (await bus.whenConnected(left())) ? await ask(bus, id, left(), over) : undefined;
    last = ending ?? last;
    if (isOver(ending)) break;
    const againMs = ending ? (ending.againMs ?? 0) : AGAIN_MS;
    if (againMs > 0) await pause(Math.min(againMs, Math.max(0, left())), over);
  }
  return last;
}

/** One question to whichever recorder gets it; undefined when none answers. */
async function ask(
  bus: BusConnection,
  id: string,
  leftMs: number,
  over: AbortSignal,
): Promise<JobEnding | undefined> {
  const waitMs = Math.max(0, Math.min(leftMs, ROUND_MS));
  const asked = bus.replies.send({
    subject: inNamespace(bus, SUBJECT),
    data: Buffer.from(JSON.stringify({ id, waitMs: Math.round(waitMs) })),
    timeoutMs: Math.min(waitMs + LATE_MS, leftMs + LAST_MS),
  });
  const reply = await unlessOver(asked, over);
  return reply?.kind === 'message' ? readEnding(reply.data) : undefined;
}

/** Answers what has become of jobs; of all recorders one gets each question. A handler that throws means no answer. */
export function serveResults(
  bus: Bus,
  handler: (question: { readonly id: string; readonly waitMs: number }) => Promise<JobEnding>,
  options: { readonly log?: Log } = {},
): Serving {
  const inner = inside(bus);
  return serve(inner, {
    subject: inNamespace(inner, SUBJECT),
    group: 'recorder',
    log: options.log ?? inner.log,
    answer: (asked) => {
      const { id, waitMs } = asked as { id: string; waitMs: number };
      checkId(id);
      return handler({ id, waitMs: Math.min(ROUND_MS, Math.max(0, Number(waitMs) || 0)) });
    },
  });
}

async function unlessOver<T>(promise: Promise<T>, over: AbortSignal): Promise<T | undefined> {
  const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  over.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    over.removeEventListener('abort', stop);
  }
}
