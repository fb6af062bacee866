import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from './run.ts';

/** What can be ended in good order or at once. */
export interface Stoppable {
  stop(): Promise<void>;
  kill(): void;
  /** How long `stop` may take until it is killed, in milliseconds. Default 9.5 s. */
  readonly withinMs?: number;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// npm hands Ctrl-C on to a child that had it from the terminal already: that is one wish, not two.
const sameWishMs = 700;
const stopWithinMs = 9500;

/**
 * Begins, and stays until a signal comes, the process that started this one is gone, or `finished` says so; then stops
 * what was begun, at once at the second signal or when it takes too long. Says which it was; rethrows what `begin`
 * throws unless a signal had come. Nothing is left running then. `onBegun` may be called again with the next thing.
 */
export async function untilStopped(params: {
  begin: (signal: AbortSignal, onBegun: (begun: Stoppable) => void) => Promise<void>;
  finished?: AbortSignal;
  log: Log;
}): Promise<'finished' | 'stopped'> {
  const { log } = params;
  const stopping = new AbortController();
  let begun: Stoppable | undefined;
  const there = Promise.withResolvers<void>();
  let asked: number | undefined;
  let askedAgain = false;
  const onSignal = (name: string) => {
    const now = performance.now();
    if (asked === undefined) {
      asked = now;
      log(`Stopping (${name}) …`);
      stopping.abort(new Error(`stopped by ${name}`));
    } else if (now - asked > sameWishMs) {
      if (!askedAgain) log('Stopping at once …');
      askedAgain = true;
      begun?.kill();
    }
  };
  for (const name of signals) process.on(name, onSignal);
  const onOrphaned = () => onSignal('the process that started this one is gone');
  process.once('disconnect', onOrphaned);
  // The channel only tells of its end; it does not keep this process running.
  process.channel?.unref();
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  params.finished?.addEventListener('abort', () => stopping.abort(), { once: true });
  let failure: { error: unknown } | undefined;
  const beginning = params
    .begin(stopping.signal, (it) => {
      begun = it;
      there.resolve();
    })
    .catch((error: unknown) => {
      failure = { error };
      stopping.abort();
    });
  // Keeps the process running however little there is to do.
  const staying = setInterval(() => {}, 60_000);
  await stopped;
  clearInterval(staying);
  await endWithin({ there: Promise.race([beginning, there.promise]), current: () => begun });
  for (const name of signals) process.removeListener(name, onSignal);
  if (failure !== undefined && asked === undefined) throw failure.error;
  if (asked === undefined) return 'finished';
  log('Stopped.');
  return 'stopped';
}

async function endWithin(params: {
  /** Settles when there is something to stop, or never will be. */
  there: Promise<void>;
  current: () => Stoppable | undefined;
}): Promise<void> {
  const bound = new AbortController();
  const ending = (async () => {
    await params.there;
    await params.current()?.stop();
  })();
  const begun = performance.now();
  // What is to be stopped may come later than the wish to stop, and with it how long that takes.
  const leftMs = () => (params.current()?.withinMs ?? stopWithinMs) - (performance.now() - begun);
  let late: unknown = 'late';
  while (late === 'late' && leftMs() > 0)
    late = await Promise.race([
      ending,
      delay(leftMs(), 'late' as const, { signal: bound.signal }).catch(() => undefined),
    ]);
  if (late === 'late') {
    params.current()?.kill();
    await Promise.race([ending, delay(400)]);
  }
  bound.abort();
}
