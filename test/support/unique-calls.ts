import { join } from 'node:path';
import { type Client, connect, type EnqueueOptions, type SentJob } from '@jetbeat/client';
import type { Job, JobAccepted } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect } from 'vitest';
import { hold } from '../flow/unique-tasks.ts';
import type { AppName } from './app-process.ts';
import { type Gates, startGates } from './gates.ts';
import { type Stack, startStack } from './stack.ts';

/** An installation of a file's own whose jobs `unique.hold` wait at gates, and whoever asks it for jobs with keys. */
export interface UniqueCalls {
  readonly stack: Stack;
  readonly gates: Gates;
  readonly client: Client;
  /** The input of a job that waits at this gate. */
  gate(path: string): { gate: string };
  /** Asks by the client; the gate's path is the key where none is given. */
  ask(path: string, uniqueKey?: EnqueueOptions['uniqueKey'], more?: EnqueueOptions): Promise<SentJob>;
  /** Asks the API, which must accept it. */
  post(body: object): Promise<JobAccepted>;
  end(id: string): Promise<Job>;
}

/** Starts these apps before the first test of the file that calls this, and stops all after its last one. */
export function useUniqueCalls(apps: readonly AppName[]): UniqueCalls {
  const env = { JETBEAT_TASKS: join(import.meta.dirname, '../flow/unique-tasks.ts') };
  let running: { stack: Stack; gates: Gates; client: Client } | undefined;
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const gates = await startGates();
    stops.unshift(gates.stop);
    const stack = await startStack();
    stops.unshift(stack.stop);
    await Promise.all(apps.map((name) => stack.start(name, name === 'worker' ? { env } : {})));
    const client = await connect({ servers: stack.nats.url });
    stops.unshift(() => client.close());
    running = { stack, gates, client };
  }, 120_000);
  afterAll(async () => {
    for (const stop of stops) await stop();
  }, 60_000);
  const started = () => {
    if (!running) throw new Error('the installation is there within tests only');
    return running;
  };
  const gate = (path: string) => ({ gate: `${started().gates.url}/${path}` });
  return {
    get stack() {
      return started().stack;
    },
    get gates() {
      return started().gates;
    },
    get client() {
      return started().client;
    },
    gate,
    ask: (path, uniqueKey, more = {}) =>
      started().client.enqueue(hold, gate(path), { uniqueKey: uniqueKey ?? path, ...more }),
    async post(body) {
      const { status, body: accepted } = await started().stack.http.call<JobAccepted>('POST', '/jobs', body);
      expect({ status, accepted }).toMatchObject({ status: 202 });
      return accepted;
    },
    end: (id) => started().stack.http.ended(id),
  };
}
