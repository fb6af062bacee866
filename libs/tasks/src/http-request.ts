import type { Readable } from 'node:stream';
import { JetbeatError } from '@jetbeat/core';
import { type Context, defineTask, Reject, systemClock } from '@jetbeat/task';
import { HostNotAllowedError } from './host-rule.ts';
import type { HttpAgent } from './http-agent.ts';
import { HttpInput, requestHeaders } from './http-input.ts';
import { matchesStatus, unexpectedStatus } from './http-status.ts';
import { readBounded } from './read-bounded.ts';
import { type Hop, nextHop, redirectTarget } from './redirect.ts';
import { createSign, type SecretConfig, type Sign } from './sign-request.ts';
import { timeLimit } from './time-limit.ts';
import { unpacked } from './unpacked.ts';

/** What `http.request` returns. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The first 64 KiB as text; none where there was none. */
  readonly body?: string;
  readonly bodyCut?: true;
  /** Who answered in the end, without the query; present where a redirect was followed. */
  readonly url?: string;
}

/** The call did not come to an answer: refused, reset, too slow. */
class HttpFailedError extends JetbeatError {}

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

/** What signs requests, by name. */
type Secrets = Readonly<Record<string, SecretConfig>>;

/**
 * `http.request`: makes one HTTP request, and follows as many redirects as it was told to.
 * @throws InvalidInputError when a host of a secret is none
 */
export function httpRequest(agent: HttpAgent, secrets: Secrets = {}) {
  const sign = createSign(secrets);
  return defineTask({
    name: 'http.request',
    input: HttpInput,
    run: (input, ctx): Promise<HttpAnswer> => perform(agent, sign, input, ctx),
  });
}

async function perform(agent: HttpAgent, sign: Sign, input: HttpInput, ctx: Context): Promise<HttpAnswer> {
  const { sign: name } = input;
  const body = bodyText(input.body);
  const url = checkUrl(agent, input.url);
  const now = systemClock.now();
  const signature = name === undefined ? {} : await sign({ name, host: url.hostname, body: body ?? '', now });
  const first: Hop = {
    url,
    method: input.method ?? 'GET',
    headers: { ...requestHeaders(input), ...signature },
    body,
  };
  const limit = timeLimit(ctx.signal, input.timeout ?? DEFAULT_TIMEOUT);
  try {
    return await follow({ agent, input, first, signal: limit.signal });
  } catch (error) {
    // An abort from outside is the executor's to name.
    if (ctx.signal.aborted || !(error instanceof HttpFailedError)) throw error;
    if (!limit.signal.aborted) throw error;
    throw new HttpFailedError(
      'http_timeout',
      `${labelOf(first)} took longer than ${input.timeout ?? DEFAULT_TIMEOUT}`,
    );
  } finally {
    limit.clear();
  }
}

async function follow(params: {
  readonly agent: HttpAgent;
  readonly input: HttpInput;
  readonly first: Hop;
  readonly signal: AbortSignal;
}): Promise<HttpAnswer> {
  const { agent, input, first, signal } = params;
  let hop = first;
  for (let followed = 0; ; followed++) {
    const answer = await exchange(agent, hop, signal);
    const to = redirectTarget(answer.status, answer.headers['location']);
    if (to === undefined || followed === (input.redirects ?? 0)) {
      checkStatus(hop, answer, input, followed);
      return followed === 0 ? answer : { ...answer, url: hop.url.origin + hop.url.pathname };
    }
    hop = nextHop(hop, answer.status, to);
    checkHost(agent, hop.url);
  }
}

async function exchange(agent: HttpAgent, hop: Hop, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    const { request, dispatcher } = await agent.client();
    const response = await request(hop.url, {
      dispatcher,
      method: hop.method as 'GET',
      headers: hop.headers,
      body: hop.body,
      signal,
      // The limit of the whole covers both.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const { headers } = response;
    const body = unpacked(response.body, headers['content-encoding']);
    const { text, cut } = body ? await readBounded(body, MAX_BODY) : await dropped(response.body);
    return {
      status: response.statusCode,
      headers: keptHeaders(headers, body ? KEPT_HEADERS : [...KEPT_HEADERS, 'content-encoding']),
      ...(text === '' ? {} : { body: text }),
      ...(cut ? { bodyCut: true } : {}),
    };
  } catch (error) {
    if (error instanceof HostNotAllowedError) throw refuse(error);
    throw new HttpFailedError('http_failed', `${labelOf(hop)} failed`, { cause: readable(error) });
  }
}

/** A text as it is, anything else as JSON; null: there is none. */
function bodyText(body: unknown): string | null {
  return typeof body === 'string' || body === undefined ? (body ?? null) : JSON.stringify(body);
}

function labelOf({ method, url }: Hop): string {
  return `${method} ${withoutQuery(url)}`;
}

/** The query, and what goes before the host, may hold secrets. */
function withoutQuery({ origin, pathname, protocol }: URL): string {
  return /^https?:$/.test(protocol) ? `${origin}${pathname}` : `an address of ${protocol}`;
}

function placeOf(location: string, base: URL): string {
  const url = URL.parse(location, base.href);
  return url ? withoutQuery(url) : 'no address';
}

function checkUrl(agent: HttpAgent, text: string): URL {
  const url = URL.parse(text);
  if (!url) throw Reject(`${JSON.stringify(text)} is no URL`, { code: 'invalid_url' });
  if (url.username !== '' || url.password !== '') {
    throw Reject('credentials do not go into the URL: send them as the header "authorization"', {
      code: 'invalid_url',
    });
  }
  checkHost(agent, url);
  return url;
}

function checkHost(agent: HttpAgent, url: URL): void {
  const refused = agent.rule.refuseHost(url.hostname);
  if (refused) throw refuse(refused);
}

function refuse(cause: HostNotAllowedError): Error {
  return Reject(`http.request: ${cause.message}`, { code: cause.code });
}

/** Of bytes that are packed in an unknown way no text can be kept; the header that says so is. */
async function dropped(body: Readable): Promise<{ text: string; cut: boolean }> {
  const { text } = await readBounded(body, 0);
  return { text, cut: false };
}

function keptHeaders(
  headers: Record<string, string | string[] | undefined>,
  names: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) kept[name] = [value].flat().join(', ').slice(0, 8_192);
  }
  return kept;
}

function checkStatus(hop: Hop, answer: HttpAnswer, input: HttpInput, followed: number): void {
  const { expectStatus: expected = '2xx', retryStatus } = input;
  if (matchesStatus(answer.status, expected)) return;
  const to = answer.headers['location'];
  const why = followed === 0 ? 'redirects are not followed' : `${followed} redirects were followed`;
  const hint =
    to === undefined
      ? (answer.body ?? '').slice(0, 512)
      : `${why}, this one leads to ${placeOf(to, hop.url)}`;
  const now = systemClock.now();
  throw unexpectedStatus({ label: labelOf(hop), answer, expected, retryStatus, hint, now });
}

/** Node reports a connection refused at every address of a host as an error without a message. */
function readable(error: unknown): unknown {
  if (!(error instanceof AggregateError) || error.message !== '') return error;
  const messages = error.errors.map((each) => (each instanceof Error ? each.message : String(each)));
  return new Error(messages.join(', '), { cause: error });
}
