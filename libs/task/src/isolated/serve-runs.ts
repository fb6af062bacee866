import { type Call, readSettings, type Settings, type StoredError } from '@jetbeat/core';
import type { StoredChild } from '../child-calls.ts';
import { describeThrown } from '../describe-thrown.ts';
import { execute } from '../execute.ts';
import type { Execution } from '../execution.ts';
import { Interrupt } from '../interrupt.ts';
import { Cancel } from '../on-purpose.ts';
import { createBoundedLog } from './bounded-log.ts';
import { createBoundedProgress } from './bounded-progress.ts';
import type { FromBox, RunMessage, ToBox } from './messages.ts';
import { type BoxTracing, loadBoxTracing } from './runs-tracing.ts';
import { createTaskFinder } from './task-source.ts';

/** How a box is joined to its worker. */
export interface BoxPort {
  say(message: FromBox): void;
  /** Ends the box: nothing runs in it. */
  close(): void;
  /** A run begins that must have ended at this time, Unix milliseconds; 0: it has ended. */
  readonly deadline?: (at: number) => void;
  /** Resident bytes, where the worker wants to know them. */
  readonly memory?: () => number;
}

/** How often memory is looked at while a handler runs, milliseconds. */
const MEMORY_EVERY_MS = 250;

/** The box's side: makes the attempts that the worker asks for, one at a time, with the same `execute` as the worker itself. */
export function serveRuns(port: BoxPort): (message: ToBox) => void {
  const find = createTaskFinder({ traceparent: () => tracing?.active() });
  const calls = new Map<number, { resolve: (stored: StoredChild) => void; reject: (error: Error) => void }>();
  let count = 0;
  let settings: Settings | undefined;
  let tracing: BoxTracing | undefined;
  let opening: Promise<void> | undefined;
  let current: { readonly runId: string; readonly interrupt: Interrupt } | undefined;

  const enqueueIn = (runId: string) => (child: Call) =>
    new Promise<StoredChild>((resolve, reject) => {
      const call = ++count;
      calls.set(call, { resolve, reject });
      const trace = tracing?.active();
      port.say({ kind: 'enqueue', runId, call, child, ...(trace === undefined ? {} : { trace }) });
    });

  const perform = async (message: RunMessage, interrupt: Interrupt): Promise<Execution> => {
    const { runId, job, policy, source, trace } = message;
    const bounded = createBoundedLog((entry) => port.say({ kind: 'log', runId, ...entry }), Date.now);
    const told = createBoundedProgress((progress) => port.say({ kind: 'progress', runId, progress }));
    try {
      // Before the modules of the task: who makes a tracer there gets one that works.
      await opening;
      const task = await find(source, job.task);
      const at = Date.now();
      port.say({ kind: 'began', runId, at });
      port.deadline?.(at + policy.timeout.hard);
      const log = () => bounded.log;
      const enqueue = enqueueIn(runId);
      const { tell: progress } = told;
      const attempt = () =>
        execute({ task, job, runId, policy, log, enqueue, settings, progress, interrupt });
      return await (tracing && trace ? tracing.within(trace, attempt) : attempt());
    } catch (error) {
      return { outcome: 'failed', error: describeThrown(error) };
    } finally {
      port.deadline?.(0);
      tracing?.flush();
      told.end();
      bounded.end();
    }
  };

  const run = async (message: RunMessage): Promise<void> => {
    const { runId } = message;
    const interrupt = new Interrupt();
    current = { runId, interrupt };
    const { memory } = port;
    const timer = memory && setInterval(() => port.say({ kind: 'memory', bytes: memory() }), MEMORY_EVERY_MS);
    const execution = await perform(message, interrupt);
    clearInterval(timer);
    current = undefined;
    calls.clear();
    port.say({ kind: 'done', runId, execution, ...(memory ? { memory: memory() } : {}) });
  };

  return (message) => {
    switch (message.kind) {
      case 'settings':
        settings = readSettings(message.settings, message.file);
        return;
      case 'tracing':
        opening = loadBoxTracing(message.module, (sent) => {
          if (current) port.say({ kind: 'spans', runId: current.runId, sent });
        }).then((opened) => {
          tracing = opened;
        });
        return;
      case 'run':
        return void run(message);
      case 'abort':
        if (current?.runId === message.runId)
          current.interrupt.abort(message.cancel ? Cancel(message.message) : new Error(message.message));
        return;
      case 'enqueued': {
        const call = calls.get(message.call);
        calls.delete(message.call);
        if (message.error) call?.reject(revived(message.error));
        else if (message.child) call?.resolve(message.child);
        return;
      }
      case 'load':
        // What cannot be loaded says so in the run that needs it.
        for (const source of message.sources) find(source, '').catch(() => undefined);
        return;
      case 'close':
        return port.close();
    }
  };
}

function revived({ name, message, code }: StoredError): Error {
  const error = new Error(message);
  error.name = name;
  return code === undefined ? error : Object.assign(error, { code });
}
