import { setTimeout as delay } from 'node:timers/promises';

/** How to reach the API. */
export interface Api {
  base: string;
  key: string;
}

/** An answer: its status, and its JSON where it had some. */
export interface Answer {
  status: number;
  body: unknown;
}

const callMs = 5000;

/** One call of the API, bounded to 5 s. Throws when there is no answer at all. */
export async function callApi(
  params: Api & { method: 'GET' | 'POST'; path: string; body?: unknown; signal: AbortSignal },
): Promise<Answer> {
  const headers: Record<string, string> = { authorization: `Bearer ${params.key}` };
  if (params.body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(`${params.base}${params.path}`, {
    method: params.method,
    headers,
    signal: AbortSignal.any([params.signal, AbortSignal.timeout(callMs)]),
    ...(params.body === undefined ? {} : { body: JSON.stringify(params.body) }),
  });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) as unknown };
  } catch {
    return { status: response.status, body: text };
  }
}

/** Asks until `ask` returns something, with a pause in between; undefined when the bound has passed first. */
export async function askUntil<T>(params: {
  ask: () => Promise<T | undefined>;
  everyMs: number;
  timeoutMs: number;
  signal: AbortSignal;
}): Promise<T | undefined> {
  const end = performance.now() + params.timeoutMs;
  while (performance.now() < end && !params.signal.aborted) {
    const answer = await params.ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await delay(params.everyMs, undefined, { signal: params.signal }).catch(() => {});
  }
  return undefined;
}
