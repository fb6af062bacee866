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
  job(id: string): Promise<JobJson>;
  /** Waits until the job is in one of these states. */
  jobIn(id: string, states: readonly string[], timeoutMs?: number): Promise<JobJson>;
}

/** @param params.apiKey sent as bearer key */
export function createHttp({ url, apiKey }: { url: string; apiKey: string }): Http {
  const call = async <T>(
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
  const job = async (id: string) => {
    const { status, body } = await call<JobJson>('GET', `/jobs/${id}`);
    if (status !== 200) throw new Error(`GET /jobs/${id}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  return {
    url,
    call,
    job,
    jobIn: (id, states, timeoutMs = 20_000) => {
      let last: JobJson | undefined;
      const look = async () => {
        last = await job(id);
        return states.includes(last.state) ? last : undefined;
      };
      return waitUntil(`job ${id} is ${states.join(' or ')}`, look, { timeoutMs }).catch((error: Error) => {
        throw new Error(`${error.message}; it is ${JSON.stringify(last)}`, { cause: error.cause });
      });
    },
  };
}
