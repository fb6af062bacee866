import type { Problem } from '@jetbeat/core/http';
import { ApiProblemError, ApiUnreachableError } from './problem-error.ts';

/** How to reach the API. */
export interface HttpOptions {
  /** Where it listens, e.g. `http://127.0.0.1:7420`. */
  readonly url: string;
  readonly apiKey: string;
  /** How long one call may take, milliseconds; 30 s where nothing is said. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

/** One call. */
interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
type QueryValue = string | number | readonly string[];

/** Calls the API. Throws ApiProblemError for what it refuses, ApiUnreachableError where it does not answer. */
export type Call = <Answer>(call: ApiCall) => Promise<Answer>;

const TIMEOUT_MS = 30_000;

/** Makes the caller. */
export function createCall({ url, apiKey, timeoutMs = TIMEOUT_MS, fetch: ask = fetch }: HttpOptions): Call {
  const base = `${url.replace(/\/+$/, '')}/api/v1`;
  return async <Answer>({ method, path, query = {}, body, headers = {} }: ApiCall) => {
    const { response, text } = await answerOf(`${method} ${path}`, async () => {
      const response = await ask(`${base}${path}${queryText(query)}`, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { response, text: await response.text() };
    });
    const answer = text === '' ? undefined : readJson(text, response.status);
    if (response.ok) return answer as Answer;
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    if (isProblem(answer))
      throw new ApiProblemError(answer, Number.isFinite(seconds) ? seconds * 1_000 : undefined);
    throw new ApiUnreachableError(
      `what answers at ${base} is not the API of Jetbeat: status ${response.status}`,
    );
  };
}

async function answerOf<Value>(what: string, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (cause) {
    const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause : cause).message : '';
    throw new ApiUnreachableError(`${what} was not answered: ${why}`, { cause });
  }
}

function readJson(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiUnreachableError(
      `the answer, of status ${status}, is no JSON: is this the API of Jetbeat?`,
      {
        cause,
      },
    );
  }
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' && value !== null && 'code' in value && 'detail' in value && 'errors' in value
  );
}

function queryText(query: NonNullable<ApiCall['query']>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of value === undefined ? [] : [value].flat()) params.append(name, String(one));
  return params.size === 0 ? '' : `?${params}`;
}
