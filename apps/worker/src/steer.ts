import { type WorkerAnswer, type WorkerCommand, type WorkersJob, wrongQueues } from '@jetbeat/core';
import { type Bus, QueuesUnmadeError, serveControl } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { Held } from './held.ts';
import type { HeldJobs } from './held-jobs.ts';
import type { KeepAlive } from './keep-alive/keep-alive.ts';
import type { Limits } from './limits/limits.ts';
import type { Measures } from './measures.ts';
import type { Pulling } from './pulling/pulling.ts';
import type { QueueGate } from './pulling/queue-gate.ts';
import type { Ready } from './running/ready.ts';
import type { Shape } from './shape.ts';

/** How often it is looked whether the last job of a queue that is served no more has ended, milliseconds. */
const SAY_MS = 500;
const UNSAID = 'it cannot be stored now that the worker serves other queues; nothing was changed';
/** Commands that wait for their turn. */
const MOST_WAITING = 16;
/** Jobs that a report lists. */
const LISTED = 100;

/** What steering needs of the worker. */
export interface SteerParams {
  readonly bus: Bus;
  readonly worker: string;
  readonly shape: Shape;
  readonly pulling: Pick<Pulling, 'pull' | 'fetch'>;
  readonly jobs: Pick<HeldJobs, 'size' | 'running' | 'all'>;
  readonly ready: Pick<Ready, 'size' | 'next'>;
  readonly gate: Pick<QueueGate, 'look'>;
  readonly limits: Pick<Limits, 'look'>;
  readonly measures: Pick<Measures, 'serve'>;
  readonly keepAlive: Pick<KeepAlive, 'reshape'>;
  /** Makes what queues need in JetStream, and loads what is known of them. Rejects when that cannot be done now. */
  readonly prepare: (queues: readonly string[]) => Promise<void>;
  /** It was told to end. */
  readonly onStop: () => void;
  readonly log: Log;
}

/** Does with a worker what it is told over NATS, one thing after the other. */
export function serveSteering(params: SteerParams): { stop(): Promise<void> } {
  const {
    bus,
    worker,
    shape,
    pulling,
    jobs,
    ready,
    gate,
    limits,
    measures,
    keepAlive,
    prepare,
    onStop,
    log,
  } = params;
  let stopping = false;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  /** It has named more queues than it serves. */
  let sayAgain = false;

  const report = (changed: boolean, givenBack = 0): WorkerAnswer => ({
    report: {
      worker,
      queues: shape.queues,
      concurrency: shape.concurrency,
      changed,
      givenBack,
      state: stopping ? 'stopping' : shape.draining ? 'draining' : 'running',
      held: jobs.size,
      running: jobs.running,
      jobs: listed([...jobs.all()]),
    },
  });

  const heldQueues = () => [...jobs.all()].map(({ job }) => job.queue);
  /**
   * Says what it does. A queue is named before it is pulled from, and for as long as there is a job of it here: whoever asks who has a
   * job asks those that have its queue.
   */
  const say = (more: Iterable<string> = []): Promise<boolean> => {
    const held = heldQueues();
    const { concurrency, draining } = shape;
    const queues = [...new Set([...shape.queues, ...more, ...held])];
    sayAgain = queues.length > shape.queues.length;
    return keepAlive.reshape({ queues, concurrency, draining });
  };
  /** Makes everything as the shape says. Resolves with how many jobs were given back, when nothing comes any more that was not meant. */
  const follow = async (before: readonly string[]): Promise<number> => {
    const { queues, draining } = shape;
    measures.serve(queues);
    const givenBack = gate.look();
    await pulling.pull(draining ? [] : queues);
    for (const queue of new Set([...before, ...queues])) limits.look(queue);
    ready.next();
    pulling.fetch.fill();
    return givenBack;
  };
  const change = async (to: Parameters<Shape['set']>[0]): Promise<WorkerAnswer> => {
    const before = shape.queues;
    if (!shape.set(to)) return report(false);
    const { queues, concurrency, draining } = shape;
    if (!(await say(before)) && queues.some((queue) => !before.includes(queue))) {
      shape.set({ queues: before });
      // From now on it would say the others.
      void say();
      return { refused: UNSAID };
    }
    log.info({ worker, queues, concurrency, draining }, 'worker was told to change');
    const givenBack = await follow(before);
    if (sayAgain) await say();
    return report(true, givenBack);
  };
  const timer = setInterval(() => {
    if (sayAgain && heldQueues().every((queue) => shape.serves(queue))) void say();
  }, SAY_MS);
  const changeQueues = async (add: readonly string[], remove: readonly string[]): Promise<WorkerAnswer> => {
    const kept = shape.queues.filter((queue) => !remove.includes(queue));
    const added = [...new Set(add)].filter((queue) => !shape.serves(queue) && !remove.includes(queue));
    const queues = [...kept, ...added];
    const refused = wrongQueues(queues);
    if (refused !== undefined) return { refused };
    if (added.length > 0) {
      try {
        await prepare(added);
      } catch (err) {
        log.warn({ err, queues: added }, 'queues could not be added');
        const why = err instanceof QueuesUnmadeError ? `: ${err.message}` : '';
        return { refused: `the queues cannot be made in JetStream now; nothing was changed${why}` };
      }
    }
    return change({ queues });
  };
  const stop = async (): Promise<WorkerAnswer> => {
    const isFirst = !stopping;
    stopping = true;
    if (isFirst) log.info({ worker }, 'worker was told to stop');
    await pulling.pull([]);
    const given = ready.size;
    // The answer goes out first.
    if (isFirst) setImmediate(onStop);
    return report(isFirst, given);
  };
  const act = (command: Exclude<WorkerCommand, { do: 'look' }>): Promise<WorkerAnswer> | WorkerAnswer => {
    if (command.do === 'stop') return stop();
    if (stopping) return { refused: 'the worker is stopping' };
    if (command.do === 'concurrency') return change({ concurrency: command.value });
    if (command.do === 'queues') return changeQueues(command.add, command.remove);
    return change({ draining: command.do === 'drain' });
  };
  const inTurn = async (command: WorkerCommand): Promise<WorkerAnswer> => {
    if (command.do === 'look') return report(false);
    if (waiting >= MOST_WAITING) return { refused: 'too much is asked of the worker at once' };
    waiting += 1;
    const answer = last.then(() => act(command)).finally(() => (waiting -= 1));
    last = answer.catch(() => undefined);
    return answer;
  };
  const serving = serveControl(bus, worker, inTurn, { log });
  return {
    stop() {
      clearInterval(timer);
      return serving.close();
    },
  };
}

function listed(held: Held[]): WorkersJob[] {
  const runs = (one: Held) => (one.phase === 'running' ? 0 : 1);
  return held
    .sort((a, b) => runs(a) - runs(b))
    .slice(0, LISTED)
    .map(({ job: { id, task, queue, attempt }, phase, startedAt }) => ({
      id,
      task,
      queue,
      attempt,
      ...(phase === 'running' && startedAt !== undefined ? { startedAt } : {}),
    }));
}
