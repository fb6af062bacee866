import { waitUntil } from './wait-until.ts';

/** What somebody is answered. */
export interface Answered {
  readonly status: number;
  /** Of a problem; else empty. */
  readonly code: string;
  readonly text: string;
}

/** What is asked of an API; the path is below `/api/v1`. */
interface Question {
  readonly method: string;
  readonly path: string;
  /** Who asks. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Asks until the machine has time for it. */
export function askAs(url: string, question: Question): Promise<Answered> {
  return waitUntil('it is answered', async () => {
    const answer = await askOnce(url, question);
    return answer.code === 'overloaded' ? undefined : answer;
  });
}

/** Of a stream only the begin is read. */
async function askOnce(url: string, { method, path, headers, body }: Question): Promise<Answered> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]),
  });
  const { status } = response;
  const type = response.headers.get('content-type') ?? '';
  const text = type.startsWith('text/event-stream') ? '' : await response.text();
  stop.abort();
  const isProblem = text !== '' && type.includes('problem');
  return { status, code: isProblem ? (JSON.parse(text) as { code: string }).code : '', text };
}
