import { Worker } from 'node:worker_threads';
import type { StoredError } from '@jetbeat/core';
import { type Box, ChildLostError, CLOSE_MS } from './box.ts';
import type { FromBox, ToBox } from './messages.ts';

const ENTRY = new URL('./thread-entry.ts', import.meta.url);

/**
 * Starts a thread. A handler in it can be ended while it computes, not while it waits inside of native code.
 * @param maxHeap MiB of heap, in place of what V8 gives a thread
 */
export function openThreadBox(maxHeap?: number): Box {
  const thread = new Worker(ENTRY, {
    name: 'handlers',
    ...(maxHeap === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxHeap } }),
  });
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<ChildLostError>();
  let listener: ((message: FromBox) => void) | undefined;
  let fatal: Pick<StoredError, 'name' | 'message' | 'code'> | undefined;
  let alive = true;
  let started = false;
  let timer: NodeJS.Timeout | undefined;
  const kill = () => {
    alive = false;
    void thread.terminate();
  };
  thread.on('message', (message: FromBox) => {
    if (message.kind === 'ready') {
      started = true;
      ready.resolve();
    } else if (message.kind === 'fatal') fatal = message.error;
    else listener?.(message);
  });
  thread.on('error', (error: Error & { code?: string }) => {
    fatal ??= error;
  });
  thread.on('exit', (code) => {
    alive = false;
    clearTimeout(timer);
    ended.resolve(new ChildLostError(howItEnded(code, fatal)));
    ready.resolve();
  });
  return {
    ready: ready.promise,
    ended: ended.promise,
    get started() {
      return started;
    },
    get alive() {
      return alive;
    },
    send: (message: ToBox) => thread.postMessage(message),
    listen(next) {
      listener = next;
    },
    kill,
    close() {
      alive = false;
      timer ??= setTimeout(kill, CLOSE_MS);
      thread.postMessage({ kind: 'close' } satisfies ToBox);
    },
  };
}

function howItEnded(code: number, fatal: Pick<StoredError, 'name' | 'message' | 'code'> | undefined): string {
  if (fatal?.code === 'ERR_WORKER_OUT_OF_MEMORY') return `its thread ran out of memory: ${fatal.message}`;
  if (fatal) return `its thread ended by an error that nobody caught: ${fatal.name}: ${fatal.message}`;
  return `its thread ended with exit code ${code} before the handler was done`;
}
