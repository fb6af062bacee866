import { randomUUID } from 'node:crypto';
import { factsOf, type JobEnvelope, project } from '@jetbeat/core';
import type { ApiKeyCreated, ApiKeyRequest } from '@jetbeat/core/http';
import { recordChanges } from '@jetbeat/postgres';
import type { TestApi } from './api.ts';
import { newJob, workerEvent, writeWorkers } from './recorder.ts';

/** A route as the description has it. */
export interface Route {
  readonly method: string;
  /** Below `/api/v1`, with `{…}`. */
  readonly path: string;
  readonly operation: string;
  readonly role: 'anyone' | 'viewer' | 'operator' | 'admin';
  readonly scope: string;
  readonly hasBody: boolean;
}

interface Described {
  readonly operationId: string;
  readonly requestBody?: object;
  readonly 'x-jetbeat-role'?: Route['role'];
  readonly 'x-jetbeat-scope'?: string;
}

const PREFIX = '/api/v1';

/** What nobody but its holder may know of a key `jb_<id>_<secret>`; a secret may hold `_` itself. */
export function secretOf(key: string): string {
  return key.slice(key.indexOf('_', 'jb_'.length) + 1);
}

/** Every route below `/api/v1`, out of the running server. */
export async function routesOf(url: string): Promise<Route[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Described>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, described]): Route[] => {
      if (!path.startsWith(PREFIX)) return [];
      const { operationId: operation, requestBody } = described;
      const { 'x-jetbeat-role': role, 'x-jetbeat-scope': scope } = described;
      if (role === undefined || scope === undefined) throw new Error(`${method} ${path} tells no policy`);
      return [
        {
          method: method.toUpperCase(),
          path: path.slice(PREFIX.length),
          operation,
          role,
          scope,
          hasBody: requestBody !== undefined,
        },
      ];
    }),
  );
}

/** What stands in one queue: one of each that a path can name. */
export interface Things {
  readonly queue: string;
  readonly task: string;
  readonly schedule: string;
  readonly job: string;
  readonly dead: string;
  readonly batch: string;
  readonly replay: string;
  readonly worker: string;
  readonly apiKey: string;
  readonly session: string;
}

/** What there is not, in the same forms. */
export function nothing(): Things {
  const id = () => randomUUID();
  return {
    queue: `none${id().slice(0, 8)}`,
    task: `none.${id().slice(0, 8)}`,
    schedule: `none/${id().slice(0, 8)}`,
    job: id(),
    dead: id(),
    batch: id(),
    replay: id(),
    worker: id(),
    apiKey: 'none',
    session: `s_${id().replaceAll('-', '').slice(0, 16)}`,
  };
}

/** Puts one of each into a queue; all that it holds says `secret`. */
export async function fill(api: TestApi, queue: string, secret: string): Promise<Things> {
  const task = `${queue}.work`;
  const schedule = `${queue}/plan`;
  const { call } = api.http;
  await writeWorkers(api.db, [
    workerEvent(`worker-of-${queue}`, { queues: [queue], tasks: [{ name: task, queue }] }),
  ]);
  const input = { secret };
  const meta = { note: secret };
  await call('PUT', `/queues/${queue}`, { concurrency: 3 });
  const { id: job } = await api.enqueue({ task, queue, input, meta, delay: '1h' });
  const when = { cron: '0 3 * * *' };
  await call('POST', '/schedules', { name: schedule, when, job: { task, queue, input, meta } });
  // What a task makes a key of stands in the input.
  const concurrency = { key: `of-${secret}`, limit: 1, by: 'task' } as const;
  const dead = await deadJob(api, { task, queue, input, meta, policy: { concurrency } });
  const filter = { queue, task: 'nobody.has' };
  const { id: apiKey, key } = await makeKey(api, { role: 'operator', queues: [queue] });
  const own = api.as(key);
  const { body: batch } = await own.call<{ id: string }>('POST', '/batches', { action: 'cancel', filter });
  const { body: replay } = await own.call<{ id: string }>('POST', '/dead-letters/replay', { filter });
  const { body: session } = await call<{ id: string }>('POST', '/session', { key });
  return {
    session: session.id,
    queue,
    task,
    schedule,
    job,
    dead,
    batch: batch.id,
    replay: replay.id,
    worker: `worker-of-${queue}`,
    apiKey,
  };
}

/** Makes a dead job; its id. */
export async function deadJob(api: TestApi, change: Partial<JobEnvelope>): Promise<string> {
  const job = newJob(change);
  const reason = { code: 'rejected', text: 'no' };
  const error = { name: 'E', message: 'it failed', stack: `E: at ${JSON.stringify(change.input)}` };
  const ended = {
    kind: 'ended',
    ...factsOf(job, undefined),
    state: 'dead',
    reason,
    error,
    at: Date.now(),
  } as const;
  const changes = project([{ kind: 'accepted', envelope: job, seq: 1 }, ended]);
  await recordChanges(api.db, { changes, now: Date.now(), workers: [] });
  return job.id;
}

/** Makes a key through the API. */
export async function makeKey(
  api: TestApi,
  change: Partial<ApiKeyRequest> & Pick<ApiKeyRequest, 'role'>,
): Promise<ApiKeyCreated> {
  const { status, body } = await api.http.call<ApiKeyCreated>('POST', '/api-keys', {
    name: 'test',
    ...change,
  });
  if (status !== 201) throw new Error(`no key: ${JSON.stringify(body)}`);
  return body;
}

/** The path of a route, of these things. */
export function pathTo({ path }: Pick<Route, 'path'>, things: Things): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(named(path, name, things)));
}

function named(path: string, name: string, things: Things): string {
  const [kind = ''] = path.slice(1).split('/');
  const ofKind: Readonly<Record<string, string>> = {
    jobs: things.job,
    schedules: things.schedule,
    queues: things.queue,
    tasks: things.task,
    workers: things.worker,
    batches: things.batch,
    'dead-letters': name === 'replayId' ? things.replay : things.dead,
    'api-keys': things.apiKey,
    sessions: things.session,
  };
  const found = ofKind[kind];
  if (found === undefined)
    throw new Error(`nothing is known that {${name}} of ${path} could name: say it here`);
  return found;
}
