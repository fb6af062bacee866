import fc from 'fast-check';
import type { Operation, Parameter } from './operation.ts';
import { spoilt } from './spoil.ts';
import { STRANGE_TEXTS, strangeBody } from './strange.ts';
import { validValue } from './valid-value.ts';

/** A request, ready to be sent. */
export interface FuzzRequest {
  readonly operation: Operation;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** Names of things that are there: by the operation that is about them, or by the folder of its address in which they are. */
export type Known = Readonly<Record<string, readonly string[]>>;

const OTHER_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'];
const PATHS = [
  '..%2f..%2fetc%2fpasswd',
  '%2e%2e/%2e%2e',
  '%00',
  '%zz',
  '%',
  '.',
  '..',
  ';',
  '//',
  '?',
  '#',
  'a%20b',
];
const JSON_TYPE = 'application/json';
/** Headers that mean something here or on the way, with what nobody should send. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  'content-type': [
    JSON_TYPE,
    'text/plain',
    'application/xml',
    'multipart/form-data',
    'application/json;charset=utf-7',
    '/',
  ],
  'content-encoding': ['gzip', 'identity', 'br'],
  'if-match': ['"1"', '*', 'W/"1"', '1', '"', '"x", "y"', '"999999999999999999999"', "'", '"-1"'],
  'if-none-match': ['*', '"1"', 'x', ''],
  'idempotency-key': ['a', 'b', 'c', '"a"', ' ', "' or 1=1", 'x'.repeat(300), 'é'],
  'jetbeat-reason': ['why not', '%E2%82%AC', '%zz', 'x'.repeat(600), "'; drop table audit; --"],
  'last-event-id': ['0', '-1', '1', '99999999999999999999', 'x', '1.5', '1:0'],
  traceparent: [
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-0-0-0',
    'x',
    `00-${'f'.repeat(5_000)}`,
  ],
  accept: ['text/event-stream', 'application/xml', '*/*', ';'],
  'x-forwarded-for': ['127.0.0.1', '::1', 'x', "' or 1=1", '1.1.1.1, 2.2.2.2'],
  'x-http-method-override': ['DELETE'],
  origin: ['https://evil.example', 'null'],
  cookie: ['jetbeat=x', '__Host-jetbeat=x; a=b', ';;;='],
  expect: ['100-continue'],
  range: ['bytes=0-1', 'x'],
};

const WAITS = ['1ms', '50ms', '0s', '31s', '0.01s', '1d', '-1s'];

/** Requests to any of these operations: valid ones, nearly valid ones, and nonsense. */
export function fuzzRequest(operations: readonly Operation[], known: Known): fc.Arbitrary<FuzzRequest> {
  // Where there is a body there is more that can be wrong.
  const all = operations.map((operation) => ({
    weight: operation.body ? 3 : 1,
    arbitrary: ofOperation(operation, known),
  }));
  return fc.oneof(...all);
}

function ofOperation(operation: Operation, known: Known): fc.Arbitrary<FuzzRequest> {
  const inPath = operation.parameters.filter((one) => one.in === 'path');
  const inQuery = operation.parameters.filter((one) => one.in === 'query');
  const others = [...new Set(Object.values(known).flat())];
  const { body } = operation;
  const valid = body && fc.oneof(validValue(body.schema), fc.constant(body.example ?? {}));
  const bodies: fc.Arbitrary<string | undefined> = valid
    ? fc.oneof(
        { weight: 6, arbitrary: valid.map(written) },
        { weight: 10, arbitrary: spoilt(valid, body.schema).map(written) },
        { weight: 1, arbitrary: strangeBody },
        { weight: 1, arbitrary: fc.constant(undefined) },
      )
    : rarely(strangeBody);
  return fc
    .record({
      segments: fc.tuple(...inPath.map(({ name }) => segment(namesFor(operation, name, known), others))),
      query: query(inQuery),
      method: fc.oneof(
        { weight: 30, arbitrary: fc.constant(operation.method) },
        { weight: 1, arbitrary: fc.constantFrom(...OTHER_METHODS) },
      ),
      headers: headers(),
      tail: rarely(fc.constantFrom(...PATHS)),
      body: bodies,
    })
    .map(({ segments, query: asked, method, headers: sent, tail = '', body: text }) => {
      let next = 0;
      const path = operation.path.replace(/\{[^}]*\}/g, () => segments[next++] ?? '');
      const all = { ...(text === undefined ? {} : { 'content-type': JSON_TYPE }), ...sent };
      return { operation, method, path: `${path}${tail}${asked}`, headers: all, body: text };
    });
}

function namesFor({ name, path }: Operation, parameter: string, known: Known): readonly string[] {
  const [before = ''] = path.split(`/{${parameter}}`);
  return known[name] ?? known[before.slice(before.lastIndexOf('/') + 1)] ?? [];
}

function segment(known: readonly string[], others: readonly string[]): fc.Arbitrary<string> {
  const strange = fc.oneof(fc.constantFrom(...STRANGE_TEXTS).map(encoded), fc.constantFrom(...PATHS));
  if (known.length === 0) return strange;
  return fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...known).map(encoded) },
    { weight: 2, arbitrary: strange },
    { weight: 1, arbitrary: fc.constantFrom(...others).map(encoded) },
  );
}

function query(parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const one = parameters.map(({ name, schema }) =>
    fc.oneof(
      // Whoever waits holds up the others.
      {
        weight: 4,
        arbitrary: (name === 'wait' ? fc.constantFrom(...WAITS) : validValue(schema)).map((value) =>
          schema.type === 'object' ? each(value) : pairs(name, value),
        ),
      },
      { weight: 2, arbitrary: fc.constantFrom(...STRANGE_TEXTS).map((text) => pairs(name, text)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(`${name}`, `${name}=&${name}=`, `${name}[]=1`, `${name}=%`, `${name}=%zz`),
      },
    ),
  );
  const stray = fc.constantFrom(
    'x=1',
    '__proto__=1',
    'constructor[prototype][a]=1',
    '&&&',
    '=',
    '%',
    'limit=1e9',
    '?',
  );
  return fc.array(fc.oneof(...one, { weight: 1, arbitrary: stray }), { maxLength: 3 }).chain((parts) =>
    // Most operations take none, and refuse everything after the first stray one alike.
    parameters.length === 0
      ? fc.constantFrom('', '', '', '', '', '', parts.length === 0 ? '' : `?${parts.join('&')}`)
      : fc.constant(parts.length === 0 ? '' : `?${parts.join('&')}`),
  );
}

/** An object of which each field is a parameter of its own (`style: form, explode: true`). */
function each(value: unknown): string {
  return Object.entries(value as object)
    .map(([name, text]) => pairs(encoded(name), text))
    .join('&');
}

function pairs(name: string, value: unknown): string {
  return [value]
    .flat()
    .map((each) => `${name}=${encoded(typeof each === 'object' ? JSON.stringify(each) : String(each))}`)
    .join('&');
}

function headers(): fc.Arbitrary<Record<string, string>> {
  const one = fc.oneof(
    ...Object.entries(HEADERS).map(([name, values]) =>
      fc.constantFrom(...values).map((value) => [name, value] as const),
    ),
  );
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(one, { minLength: 1, maxLength: 2 }) },
    )
    .map((entries) => Object.fromEntries(entries));
}

function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

/** Half of a surrogate pair cannot stand in an address. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function written(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}
