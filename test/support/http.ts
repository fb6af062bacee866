import { setTimeout } from 'node:timers/promises';
import type { Job } from '@jetbeat/core/http';
import { waitUntil } from './wait-until.ts';

/** The part of a job's JSON that tests look at. */
export interface JobJson {
  readonly id: string;
  readonly state: string;
  readonly task: string;
  readonly reason?: { code: string; text: string } | null;
  readonly attempts: readonly { number: number; outcome: string | null; workerId: string }[];
  readonly result?: unknown;
  readonly error?: { name: string; message: string; code?: string } | null;
  readonly warnings?: readonly { code: string }[];
  readonly traceId?: string;
}

/** An answer of the API. */
interface Answer<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

/** Calls the API as a user's program would. */
export interface Http {
  readonly url: string;
  call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer<T>>;
  /** Posts a job that must be accepted; its id. */
  post(body: object): Promise<string>;
  job(id: string): Promise<JobJson>;
  /** Waits until the job is in one of these states. */
  jobIn(id: string, states: readonly string[], timeoutMs?: number): Promise<JobJson>;
  /** Waits until the job has ended, however; one of a client may not even be in history yet. */
  ended(id: string, timeoutMs?: number): Promise<Job>;
}

/** How often, and after how long, a request is made again that was refused because there was too much to do. */
const MOST_REPEATS = 20;
const REPEAT_MS = 250;

/** The states of a job that has ended. */
export const ENDS: readonly string[] = ['succeeded', 'dead', 'cancelled', 'expired'];

/** @param params.apiKey sent as bearer key */
export function createHttp({ url, apiKey }: { url: string; apiKey: string }): Http {
  const once = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: (text ? JSON.parse(text) : undefined) as T,
      headers: response.headers,
    };
  };
  const call: Http['call'] = async <T>(...asked: Parameters<Http['call']>) => {
    for (let left = MOST_REPEATS; ; left--) {
      const answer = await once<T>(...asked);
      const { code } = (answer.body ?? {}) as { code?: string };
      // The machine has other things to do, and nothing was done: asking again is what is asked for.
      if (answer.status !== 503 || code !== 'overloaded' || left === 0) return answer;
      await setTimeout(REPEAT_MS);
    }
  };
  const job = async (id: string) => {
    const { status, body } = await call<JobJson>('GET', `/jobs/${id}`);
    if (status !== 200) throw new Error(`GET /jobs/${id}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const jobIn = (id: string, states: readonly string[], timeoutMs = 20_000) => {
    let last: JobJson | undefined;
    const look = async () => {
      last = await job(id);
      return states.includes(last.state) ? last : undefined;
    };
    return waitUntil(`job ${id} is ${states.join(' or ')}`, look, { timeoutMs }).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(last)}`, { cause: error.cause });
    });
  };
  return {
    url,
    call,
    job,
    jobIn,
    post: async (body) => {
      const { status, body: accepted } = await call<{ id: string }>('POST', '/jobs', body);
      if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(accepted)}`);
      return accepted.id;
    },
    ended: async (id, timeoutMs) => (await jobIn(id, ENDS, timeoutMs)) as unknown as Job,
  };
}
