import { DURATION_PATTERN, JetbeatError, parseDuration } from '@jetbeat/core';
import { type Context, defineTask, Reject } from '@jetbeat/task';
import Type, { type Static } from 'typebox';
import { request } from 'undici';
import { HostNotAllowedError } from './host-rule.ts';
import type { HttpAgent } from './http-agent.ts';
import { readBounded } from './read-bounded.ts';

/** The input of `http.request`. */
const Input = Type.Object(
  {
    method: Type.Optional(Type.Enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])),
    url: Type.String({
      minLength: 1,
      maxLength: 8_192,
      pattern: '^https?://',
      description: 'an address that begins with http:// or https://',
    }),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    body: Type.Optional(Type.Unknown({ description: 'a text as it is; anything else as JSON' })),
    expectStatus: Type.Optional(
      Type.Union([
        Type.Integer({ minimum: 200, maximum: 599 }),
        Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), { minItems: 1 }),
        Type.String({ pattern: '^[2-5]xx$' }),
      ]),
    ),
    timeout: Type.Optional(
      Type.String({ pattern: DURATION_PATTERN, description: 'one number and one unit of ms, s, m, h, d' }),
    ),
  },
  { additionalProperties: false },
);
type Input = Static<typeof Input>;

/** What `http.request` returns. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The first 64 KiB as text; none where there was none. */
  readonly body?: string;
  readonly bodyCut?: true;
}

/** The call did not come to an answer: refused, reset, too slow. */
class HttpFailedError extends JetbeatError {}

/** The answer has another status than expected. */
class UnexpectedStatusError extends JetbeatError {
  constructor(message: string) {
    super('unexpected_status', message);
  }
}

const DEFAULT_TIMEOUT = '30s';
const MAX_BODY = 65_536;
const KEPT_HEADERS = [
  'content-type',
  'content-length',
  'date',
  'etag',
  'last-modified',
  'location',
  'retry-after',
];
/** These belong to the connection; whoever sets them can smuggle a second request into it. */
const OWN_HEADERS =
  /^(host|connection|content-length|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

/** `http.request`: makes one HTTP request. Redirects are not followed: they are answers like any other. */
export function httpRequest(agent: HttpAgent) {
  return defineTask({
    name: 'http.request',
    input: Input,
    run: (input, ctx): Promise<HttpAnswer> => perform(agent, input, ctx),
  });
}

async function perform(agent: HttpAgent, input: Input, ctx: Context): Promise<HttpAnswer> {
  const url = checkUrl(agent, input.url);
  const headers = requestHeaders(input);
  const method = input.method ?? 'GET';
  const label = `${method} ${url.origin}${url.pathname}`;
  const limit = timeLimit(ctx.signal, input.timeout ?? DEFAULT_TIMEOUT);
  try {
    const response = await request(url, {
      dispatcher: agent.dispatcher,
      method,
      headers,
      body:
        typeof input.body === 'string' || input.body === undefined
          ? (input.body ?? null)
          : JSON.stringify(input.body),
      signal: limit.signal,
      // The limit above covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const { text, cut } = await readBounded(response.body, MAX_BODY);
    const answer: HttpAnswer = {
      status: response.statusCode,
      headers: keptHeaders(response.headers),
      ...(text === '' ? {} : { body: text }),
      ...(cut ? { bodyCut: true } : {}),
    };
    checkStatus(label, answer, input.expectStatus ?? '2xx');
    return answer;
  } catch (error) {
    // An abort from outside is the executor's to name.
    if (ctx.signal.aborted || error instanceof UnexpectedStatusError) throw error;
    if (limit.signal.aborted)
      throw new HttpFailedError(
        'http_timeout',
        `${label} took longer than ${input.timeout ?? DEFAULT_TIMEOUT}`,
      );
    if (error instanceof HostNotAllowedError) throw refuse(error);
    throw new HttpFailedError('http_failed', `${label} failed`, { cause: readable(error) });
  } finally {
    limit.clear();
  }
}

function checkUrl(agent: HttpAgent, text: string): URL {
  const url = URL.parse(text);
  if (!url) throw Reject(`${JSON.stringify(text)} is no URL`, { code: 'invalid_url' });
  if (url.username !== '' || url.password !== '') {
    throw Reject('credentials do not go into the URL: send them as the header "authorization"', {
      code: 'invalid_url',
    });
  }
  const refused = agent.rule.refuseHost(url.hostname);
  if (refused) throw refuse(refused);
  return url;
}

function refuse(cause: HostNotAllowedError): Error {
  return Reject(`http.request: ${cause.message}`, { code: cause.code });
}

function requestHeaders(input: Input): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'jetbeat' };
  if (input.body !== undefined && typeof input.body !== 'string')
    headers['content-type'] = 'application/json';
  for (const [name, value] of Object.entries(input.headers ?? {})) {
    if (OWN_HEADERS.test(name))
      throw Reject(`the header "${name}" cannot be set`, { code: 'invalid_header' });
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw Reject(`the header ${JSON.stringify(name)} is not well-formed`, { code: 'invalid_header' });
    }
    headers[name.toLowerCase()] = value;
  }
  return headers;
}

function keptHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = headers[name];
    if (value !== undefined) kept[name] = [value].flat().join(', ').slice(0, 1_024);
  }
  return kept;
}

function checkStatus(label: string, answer: HttpAnswer, expected: NonNullable<Input['expectStatus']>): void {
  const { status } = answer;
  if (typeof expected === 'string' ? expected[0] === String(status)[0] : [expected].flat().includes(status))
    return;
  const to = answer.headers['location'];
  const hint =
    to === undefined
      ? (answer.body ?? '').slice(0, 512)
      : `redirects are not followed, this one leads to ${to}`;
  const wanted = [expected].flat().join(', ');
  throw new UnexpectedStatusError(
    `${label} answered ${status}, expected ${wanted}${hint === '' ? '' : `: ${hint}`}`,
  );
}

/** Aborts with the attempt or after the time; `clear` leaves no timer and no listener behind. */
function timeLimit(outside: AbortSignal, duration: string) {
  const controller = new AbortController();
  const abort = () => controller.abort(outside.reason);
  const timer = setTimeout(() => controller.abort(), Math.min(parseDuration(duration), 2 ** 31 - 1));
  if (outside.aborted) abort();
  outside.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      outside.removeEventListener('abort', abort);
    },
  };
}

/** Node reports a connection refused at every address of a host as an error without a message. */
function readable(error: unknown): unknown {
  if (!(error instanceof AggregateError) || error.message !== '') return error;
  const messages = error.errors.map((each) => (each instanceof Error ? each.message : String(each)));
  return new Error(messages.join(', '), { cause: error });
}
