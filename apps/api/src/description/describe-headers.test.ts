import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';

interface Answer {
  readonly headers?: Readonly<Record<string, { readonly $ref?: string }>>;
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, Answer>>;
}

let server: TestServer;
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
let headers: Readonly<Record<string, { readonly required: boolean }>>;
beforeAll(async () => {
  server = await createTestServer();
  const description = (await server.app.inject('/openapi.json')).json();
  ({ paths } = description);
  ({ headers } = description.components);
});
afterAll(() => server.app.close());

const operation = (method: string, path: string) => paths[`/api/v1${path}`]?.[method];
const headersOf = (method: string, path: string, status: number) =>
  Object.keys(operation(method, path)?.responses[status]?.headers ?? {});
const parameterOf = (path: string, name: string) =>
  operation('get', path)?.parameters?.find((one) => one.name === name);

const LIMITS = ['RateLimit', 'RateLimit-Policy'];

test.each([
  ['post', '/jobs', 202, ['Location', 'Idempotent-Replayed', ...LIMITS]],
  ['post', '/jobs', 409, ['Retry-After', 'Idempotent-Replayed']],
  ['post', '/jobs', 503, ['Retry-After']],
  ['get', '/jobs', 200, LIMITS],
  ['get', '/jobs', 401, ['WWW-Authenticate']],
  ['get', '/jobs', 429, ['Retry-After', ...LIMITS]],
  ['get', '/queues/{queue}', 200, ['ETag', ...LIMITS]],
  ['put', '/queues/{queue}', 201, ['ETag', 'Location', ...LIMITS]],
  ['put', '/schedules/{name}', 200, ['ETag', ...LIMITS]],
  ['patch', '/tasks/{task}', 200, ['ETag', ...LIMITS]],
  ['post', '/batches', 202, ['Location', 'Idempotent-Replayed', ...LIMITS]],
  ['post', '/session', 201, ['Location', 'Set-Cookie', ...LIMITS]],
  ['delete', '/session', 204, ['Set-Cookie', ...LIMITS]],
])('%s %s says which headers %i has', (method, path, status, expected) => {
  expect(headersOf(method, path, status)).toEqual(expected);
});

test('every header that an answer refers to is described, and each is referred to', () => {
  const named = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ responses }) => Object.values(responses))
    .flatMap((answer) => Object.values(answer.headers ?? {}))
    .flatMap(({ $ref }) => ($ref === undefined ? [] : [$ref.replace('#/components/headers/', '')]));
  expect([...new Set(named)].toSorted()).toEqual(Object.keys(headers).toSorted());
  const required = Object.keys(headers).filter((name) => headers[name]?.required);
  expect(required).toEqual(['Location', 'ETag', 'Retry-After', 'WWW-Authenticate']);
});

test('streams can be gone on with, and jobs found by their notes', () => {
  for (const path of ['/events', '/jobs/{id}/events'])
    expect(parameterOf(path, 'Last-Event-ID')).toMatchObject({ in: 'header', schema: { type: 'string' } });
  expect(parameterOf('/jobs/{id}', 'Last-Event-ID')).toBeUndefined();
  for (const path of ['/jobs', '/jobs/counts'])
    expect(parameterOf(path, 'meta')).toMatchObject({
      in: 'query',
      style: 'form',
      explode: true,
      schema: {
        type: 'object',
        patternProperties: { '^meta\\.[A-Za-z0-9_.-]{1,64}$': { type: 'string' } },
        additionalProperties: false,
      },
    });
});
