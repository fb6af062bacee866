import { createInbox } from '@nats-io/nats-core';
import type { BusConnection } from '../connection/bus.ts';
import { inNamespace } from '../streams/names.ts';
import { isOver, type JobEnding, readEnding } from './job-ending.ts';

/** Where it is said which jobs' ends are waited for; all workers listen. */
export const WANTED = 'questions.wanted';
/** It is said again so often: for workers that have started since, or missed it. Milliseconds. */
export const SAY_EVERY_MS = 5_000;
/** Jobs in one message. */
export const MAX_WANTED = 500;

/**
 * The ends of jobs that the workers tell this connection themselves. It says what it waits for, many jobs in one message, and
 * hears of each end at its one inbox. Nothing here is certain: what is lost is told by a recorder.
 */
export class HeardEndings {
  readonly #bus: BusConnection;
  readonly #inbox = createInbox();
  readonly #waiting = new Map<string, Set<(ending: JobEnding) => void>>();
  #fresh: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(bus: BusConnection) {
    this.#bus = bus;
    bus.nc.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (!error) this.#take(message.data);
      },
    });
    bus.onReconnect(() => this.#say([...this.#waiting.keys()]));
    bus.own(() => this.#rest());
  }

  /** Calls `fn` when a worker tells how this job has ended. Returns how to stop that. */
  hear(id: string, fn: (ending: JobEnding) => void): () => void {
    const listeners = this.#waiting.get(id);
    if (listeners) listeners.add(fn);
    else this.#begin(id, fn);
    return () => {
      const left = this.#waiting.get(id);
      left?.delete(fn);
      if (left?.size === 0) this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#rest();
    };
  }

  #begin(id: string, fn: (ending: JobEnding) => void): void {
    this.#waiting.set(id, new Set([fn]));
    this.#timer ??= setInterval(() => this.#say([...this.#waiting.keys()]), SAY_EVERY_MS);
    // What is waited for in one turn goes in one message.
    if (this.#fresh.push(id) === 1) queueMicrotask(() => this.#say(this.#fresh.splice(0)));
  }

  #say(ids: readonly string[]): void {
    if (!this.#bus.connected) return;
    const subject = inNamespace(this.#bus, WANTED);
    for (let at = 0; at < ids.length; at += MAX_WANTED) {
      const body = JSON.stringify({ ids: ids.slice(at, at + MAX_WANTED) });
      this.#bus.nc.publish(subject, body, { reply: this.#inbox });
    }
  }

  #take(data: Uint8Array): void {
    // Without workers the server itself says so, with nothing.
    const ending = data.length === 0 ? undefined : readEnding(data);
    if (!isOver(ending) || !ending || typeof ending.id !== 'string') return;
    const { id, ...said } = ending;
    for (const fn of [...(this.#waiting.get(id as string) ?? [])]) fn(said);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
