import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { factsOf, project } from '@jetbeat/core';
import { recordChanges } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';
import { newJob } from '../support/recorder.ts';

interface Body {
  readonly $ref?: string;
  readonly properties?: object;
}
interface Operation {
  readonly requestBody?: { content: Record<string, { schema: Body; example?: unknown }> };
}

const file = resolve(import.meta.dirname, '../../docs/openapi.json');
const { paths, components } = JSON.parse(readFileSync(file, 'utf8')) as {
  components: { schemas: Record<string, Body> };
  paths: Record<string, Record<string, Operation>>;
};
/** Every request with a body, those that make something first. */
const requests = Object.entries(paths)
  .flatMap(([path, { post }]) => {
    const body = post?.requestBody?.content['application/json'];
    return body
      ? [{ path, fields: Object.keys(read(body.schema).properties ?? {}), example: body.example }]
      : [];
  })
  .sort((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')));

function read({ $ref, ...schema }: Body): Body {
  return components.schemas[$ref?.split('/').at(-1) ?? ''] ?? schema;
}

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.stop());

test('each example of the description is accepted as it stands', async () => {
  expect(requests.length).toBeGreaterThanOrEqual(5);
  const made = new Map([
    ['queue', 'default'],
    ['jobId', await deadJob()],
  ]);
  const { body: batch } = await api.http.call<Made>('POST', '/batches', {
    action: 'cancel',
    filter: { task: 'no.such' },
  });
  made.set('batches/id', batch.id ?? 'none');
  for (const { path, fields, example } of requests) {
    if (fields.length > 0) expect(example, path).toBeTruthy();
    const url = path
      .replace('/api/v1', '')
      .replace(
        /\{(\w+)\}/,
        (_, name: string) => made.get(`${kindOf(path)}/${name}`) ?? made.get(name) ?? 'none',
      );
    const { status, body } = await api.http.call<Made>('POST', url, example ?? {});
    const right = path.endsWith('/session') ? [...RIGHT_IN_ITSELF, 'unauthorized'] : RIGHT_IN_ITSELF;
    const isRight = (found: number) => isGood(found) || right.includes(body.code ?? '');
    expect([path, status, body]).toEqual([path, expect.toSatisfy(isRight), body]);
    if (body.name !== undefined && path.startsWith('/api/v1/schedules')) made.set('name', body.name);
    if (typeof body.id === 'string') made.set(`${kindOf(path)}/id`, body.id);
  }
});

/**
 * What is said of a request that has nothing wrong: no worker runs here, a batch of no jobs is over at once, and on a busy machine history
 * takes its time. The key of an example is nobody's.
 */
const RIGHT_IN_ITSELF = ['worker_not_found', 'batch_ended', 'history_behind'];

interface Made {
  readonly id?: string;
  readonly name?: string;
  readonly code?: string;
}

/** `jobs` of `/api/v1/jobs/{id}/retry`. */
function kindOf(path: string): string {
  return path.split('/')[3] ?? '';
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Makes a dead job; returns its id. */
async function deadJob(): Promise<string> {
  const job = newJob();
  const reason = { code: 'rejected', text: 'no' };
  const ended = { kind: 'ended', ...factsOf(job, undefined), state: 'dead', reason, at: Date.now() } as const;
  const changes = project([{ kind: 'accepted', envelope: job, seq: 1 }, ended]);
  await recordChanges(api.db, { changes, now: Date.now(), workers: [] });
  return job.id;
}
