import type { Call, StoredError } from '@jetbeat/core';
import type { TellProgress } from '../attempt-context.ts';
import type { EnqueueChild } from '../child-calls.ts';
import type { Clock } from '../clock.ts';
import type { TaskLog } from '../context.ts';
import { describeThrown } from '../describe-thrown.ts';
import type { Execution } from '../execution.ts';
import type { Interrupt } from '../interrupt.ts';
import { kindsOf } from '../kinds-of.ts';
import { HardTimeLimitError } from '../limits.ts';
import { isOnPurpose } from '../on-purpose.ts';
import { type Box, ChildLostError, START_MS } from './box.ts';
import type { FromBox, RunMessage } from './messages.ts';
import type { RunsTracing } from './runs-tracing.ts';

/** How long a handler may go on after its job was cancelled; then it is ended, milliseconds. */
const CANCEL_GRACE_MS = 5_000;
/** The same when the worker stops, which waits half a second for it. */
const STOP_GRACE_MS = 300;
/** How long a box may take to be gone after it was killed; a thread inside of native code goes only when that returns. */
const KILL_MS = 2_000;

/** One attempt to be made in a box. */
export interface RunInBoxParams {
  readonly box: Box;
  readonly run: Omit<RunMessage, 'kind'>;
  readonly log: () => TaskLog;
  /** `trace`: the span inside of which it was called, as a `traceparent`. */
  readonly enqueue: (child: Call, trace: string | undefined) => ReturnType<EnqueueChild>;
  readonly progress?: TellProgress | undefined;
  readonly tracing?: RunsTracing | undefined;
  readonly interrupt: Interrupt;
  readonly onLateEnd?: (() => void) | undefined;
  readonly clock: Clock;
  /** The handler begins. */
  readonly onBegin: () => void;
  /** It says how much memory it holds, in bytes. */
  readonly onMemory: (bytes: number) => void;
}

/**
 * Makes one attempt in a box that is ready. Never fails, and ends at the hard limit for certain: the box is killed then, as it
 * is when a handler does not obey a cancel or a stop. A box that ends by itself is a loss.
 */
export async function runInBox(params: RunInBoxParams): Promise<Execution> {
  const { box, run, interrupt, clock } = params;
  const { runId, policy } = run;
  const { hard } = policy.timeout;
  const { promise, resolve } = Promise.withResolvers<{ execution: Execution; kill: boolean }>();
  const stops: (() => void)[] = [];
  const after = (ms: number, execution: () => Execution) => {
    const stop = clock.after(ms, () => resolve({ execution: execution(), kill: true }));
    stops.push(stop);
    return stop;
  };
  let isOver = () => false;
  let stopLoading = () => {};

  const begin = (at: number) => {
    stopLoading();
    params.onBegin();
    const deadline = clock.elapsed() + hard;
    // Of a worker that has stood still meanwhile the time begins later than that of the child.
    isOver = () => clock.elapsed() >= deadline || clock.now() >= at + hard;
    after(hard, () => timedOut(hard));
  };
  const end = ({ execution, memory }: Extract<FromBox, { kind: 'done' }>) => {
    if (memory !== undefined) params.onMemory(memory);
    // Its own timer was first. It is killed all the same, and so it is not abandoned.
    if (execution.abandoned) resolve({ execution: timedOut(hard), kill: true });
    else resolve({ execution, kill: false });
  };
  const obey = (reason: unknown) => {
    const cancel = isOnPurpose(reason) && reason.purpose === 'cancel';
    const message = reason instanceof Error ? reason.message : String(reason);
    box.send({ kind: 'abort', runId, cancel, message });
    after(cancel ? CANCEL_GRACE_MS : STOP_GRACE_MS, () => stoppedBy(reason));
  };
  box.listen((message) => {
    if (message.kind === 'memory') params.onMemory(message.bytes);
    else if (!('runId' in message) || message.runId !== runId) return;
    else if (message.kind === 'began') begin(message.at);
    else if (message.kind === 'done') end(message);
    else answer(params, message);
  });
  void box.ended.then((lost) => {
    // A child that cannot wait for its worker ends itself past its limit.
    const execution = isOver() ? timedOut(hard) : lostBy(lost);
    resolve({ execution, kill: false });
  });
  stopLoading = after(START_MS, () =>
    lostBy(new ChildLostError(`its modules were not loaded within ${START_MS} ms`)),
  );
  box.send({ kind: 'run', ...run });
  stops.push(interrupt.listen(obey));
  if (interrupt.aborted) obey(interrupt.reason);

  const { execution, kill } = await promise;
  for (const stop of stops) stop();
  box.listen(undefined);
  if (!kill) return execution;
  box.kill();
  if (await goesWithin(box, clock)) return execution;
  void box.ended.then(params.onLateEnd);
  return { ...execution, abandoned: true };
}

/** What became of a run that was stopped from outside before it had an answer. */
export function stoppedBy(reason: unknown): Execution {
  const error = describeThrown(reason);
  if (isOnPurpose(reason) && reason.purpose === 'cancel') return { outcome: 'cancelled', error };
  return { outcome: 'failed', error, interrupted: true };
}

function timedOut(hard: number): Execution {
  const error = new HardTimeLimitError(hard);
  return { outcome: 'timed-out', error: describeThrown(error), kinds: kindsOf(error) };
}

/** What became of a run whose box is gone. */
function lostBy(lost: ChildLostError): Execution {
  return { outcome: 'lost', error: describeThrown(lost) };
}

function answer({ box, log, enqueue, progress, tracing }: RunInBoxParams, message: FromBox): void {
  if (message.kind === 'log') log()[message.level](message.fields, message.message);
  else if (message.kind === 'progress') progress?.(message.progress);
  else if (message.kind === 'spans') tracing?.take(message.sent);
  else if (message.kind === 'enqueue') {
    const { call, child, trace } = message;
    enqueue(child, trace).then(
      (stored) => box.send({ kind: 'enqueued', call, child: stored }),
      (thrown: unknown) => {
        const error: StoredError = describeThrown(thrown);
        box.send({ kind: 'enqueued', call, error });
      },
    );
  }
}

async function goesWithin(box: Box, clock: Clock): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const stop = clock.after(KILL_MS, () => late.resolve(false));
  return await Promise.race([box.ended.then(() => true), late.promise]).finally(stop);
}
