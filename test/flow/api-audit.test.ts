import type { Queue, TaskAnswer as Task } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';

interface Change {
  readonly action: string;
  readonly actor: { readonly kind: string; readonly id: string; readonly role: string };
  readonly target: { readonly kind: string; readonly id: string };
  readonly reason: string | null;
  readonly address: string | null;
  readonly traceId: string | null;
  readonly before: unknown;
  readonly after: unknown;
}
interface Page {
  readonly items: readonly Change[];
  readonly nextCursor: string | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.workerIsAlive('w1');
}, 60_000);
afterAll(() => api?.stop());

const list = async (query = '') => {
  const { status, body } = await api.http.call<Page>('GET', `/audit?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.items;
};
const newest = async (): Promise<Change | undefined> => (await list('limit=1'))[0];
const call = async <Body = { id: string; confirm: string }>(
  request: string,
  body?: unknown,
  headers: Record<string, string> = {},
) => {
  const [method = '', path = ''] = request.split(' ');
  return api.http.call<Body & ProblemJson>(method, path, body, headers);
};
const good = async <Body = { id: string; confirm: string }>(
  request: string,
  body?: unknown,
  headers?: Record<string, string>,
) => {
  const answer = await call<Body>(request, body, headers);
  expect(answer.status, `${request}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body;
};
/** Calls of the first test, each of which leaves a row. */
const CALLED = [
  ...['POST /schedules', 'PUT /schedules/{name}', 'PATCH /schedules/{name}', 'POST /schedules/batch'],
  ...['pause', 'resume', 'trigger', 'backfill'].map((verb) => `POST /schedules/{name}/${verb}`),
  ...['DELETE /schedules/{name}', 'PUT /queues/{queue}', 'PATCH /queues/{queue}', 'PATCH /tasks/{task}'],
  ...['pause', 'resume', 'purge'].map((verb) => `POST /queues/{queue}/${verb}`),
  ...['PATCH /jobs/{id}', 'POST /jobs/{id}/run-now', 'POST /jobs/{id}/cancel', 'POST /jobs/{id}/retry'],
];
const CANARY = 'CANARY-4242';
const job = { task: 'report.send', queue: 'reports', input: { to: CANARY } };

test('each change of each route stands there, with who, from where, why, before and after, and no data of callers', async () => {
  const changes: [string, string, string][] = [];
  const audited = async (action: string, target: string, act: () => Promise<unknown>) => {
    const before = await newest();
    await act();
    const after = await newest();
    expect(after, action).not.toEqual(before);
    expect(after).toMatchObject({ actor: { kind: 'key', id: 'first', role: 'admin' }, address: '127.0.0.1' });
    changes.push([action, target, `${after?.action} ${after?.target.kind}:${after?.target.id}`]);
    return after;
  };
  const schedule = { when: { cron: '0 3 * * *' }, job };
  await audited('schedule.create', 'schedule:s/1', () =>
    good('POST /schedules', { name: 's/1', ...schedule }),
  );
  await audited('schedule.create', 'schedule:s/2', () => good('PUT /schedules/s%2F2', schedule));
  const edited = await audited('schedule.change', 'schedule:s/2', () =>
    good('PATCH /schedules/s%2F2', { overlap: 'allow', job: { input: { to: 'b' } } }),
  );
  expect(edited).toMatchObject({
    before: { overlap: 'skip' },
    after: { overlap: 'allow', job: { input: { changed: true } } },
  });
  await audited('schedule.change', 'schedule:s/2', () => good('PUT /schedules/s%2F2', schedule));
  const batch = { schedules: [{ name: 's/3', ...schedule }] };
  await audited('schedule.create', 'schedule:s/3', () => good('POST /schedules/batch', batch));
  await audited('schedule.pause', 'schedule:s/1', () => good('POST /schedules/s%2F1/pause', { note: 'n' }));
  await audited('schedule.resume', 'schedule:s/1', () => good('POST /schedules/s%2F1/resume', {}));
  await audited('schedule.trigger', 'schedule:s/1', () =>
    good('POST /schedules/s%2F1/trigger', { input: { to: CANARY } }),
  );
  const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-05T00:00:00Z' };
  const filled = await audited('schedule.backfill', 'schedule:s/1', () =>
    good('POST /schedules/s%2F1/backfill', range),
  );
  expect(filled?.after).toMatchObject({ count: 4, first: '2026-01-01T03:00:00.000Z', overlap: 'buffer-all' });
  await audited('schedule.delete', 'schedule:s/3', () => good('DELETE /schedules/s%2F3'));
  await audited('queue.change', 'queue:reports', () => good('PUT /queues/reports', { concurrency: 3 }));
  const limited = await audited('queue.change', 'queue:reports', () =>
    good('PATCH /queues/reports', { rateLimit: { limit: 1, period: '1s' } }),
  );
  expect(limited).toMatchObject({
    before: { rateLimit: null },
    after: { rateLimit: { limit: 1, period: '1s', per: 'queue' } },
  });
  await audited('queue.pause', 'queue:reports', () => good('POST /queues/reports/pause', { note: 'n' }));
  await audited('queue.resume', 'queue:reports', () => good('POST /queues/reports/resume', {}));
  await audited('queue.purge', 'queue:reports', async () => {
    const { confirm } = await good('POST /queues/reports/purge', {});
    await good('POST /queues/reports/purge', { confirm });
  });
  await audited('task.change', 'task:report.send', () =>
    good('PATCH /tasks/report.send', { rateLimit: { limit: 5, period: '1m' } }),
  );
  const later = await api.enqueue({ ...job, delay: '1h' });
  await audited('job.change', `job:${later.id}`, () => good(`PATCH /jobs/${later.id}`, { priority: 'high' }));
  const run = await audited('job.run-now', `job:${later.id}`, () =>
    good(`POST /jobs/${later.id}/run-now`, {}),
  );
  expect(run).toMatchObject({ before: { state: 'scheduled' }, after: { state: 'queued' } });
  const cancelled = await api.enqueue({ ...job, delay: '1h' });
  const cancel = await audited('job.cancel', `job:${cancelled.id}`, () =>
    good(`POST /jobs/${cancelled.id}/cancel`, { reason: 'too late' }),
  );
  expect(cancel).toMatchObject({ reason: 'too late', after: { state: 'scheduled' } });
  const retried = await audited('job.retry', `job:${cancelled.id}`, () =>
    good(`POST /jobs/${cancelled.id}/retry`, { input: { to: CANARY } }),
  );
  expect(retried?.after).toMatchObject({ job: expect.any(String), input: { changed: true } });
  expect(changes.map(([action, target]) => `${action} ${target}`)).toEqual(
    changes.map(([, , found]) => found),
  );
  expect(JSON.stringify(await list('limit=200'))).not.toContain(CANARY);
});

/** Calls that leave no row, and why. */
const NOT_AUDITED = {
  'POST /jobs': 'use: it stands in the job itself',
  'POST /jobs/batch': 'use: it stands in the jobs themselves',
  'POST /schedules/preview': 'it changes nothing',
  'POST /session/links': 'it lets nobody in until it is followed, and that leaves a row',
};
/** Calls that leave one, looked at in the tests of what they do. */
const AUDITED_ELSEWHERE = [
  ...['POST /dead-letters/{jobId}/replay', 'DELETE /dead-letters/{jobId}', 'POST /dead-letters/replay'],
  ...['POST /batches', 'POST /batches/{id}/abort', 'POST /api-keys', 'DELETE /api-keys/{id}'],
  ...[
    'DELETE /queues/{queue}',
    'POST /session',
    'DELETE /session',
    'DELETE /sessions/{id}',
    'POST /sessions/end',
  ],
  ...['drain', 'resume', 'stop', 'concurrency', 'queues'].map((verb) => `POST /workers/{id}/${verb}`),
];

test('every call that changes something is one of them', async () => {
  const response = await fetch(`${api.http.url}/openapi.json`);
  const { paths } = (await response.json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const unsafe = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'get')
      .map((method) => `${method.toUpperCase()} ${path.replace('/api/v1', '')}`),
  );
  const known = [...CALLED, ...Object.keys(NOT_AUDITED), ...AUDITED_ELSEWHERE];
  expect(unsafe.toSorted()).toEqual(known.toSorted());
});

test('what is refused, or changes nothing, leaves nothing', async () => {
  const before = await newest();
  await good('PUT /schedules/same', { when: { every: '1h' }, job });
  await good('POST /queues/reports/pause', { note: 'again' });
  const made = await newest();
  expect(made).not.toEqual(before);
  const stale = await call('PATCH /schedules/same', { overlap: 'allow' }, { 'If-Match': '"9"' });
  expect(stale.body.code).toBe('stale');
  expect((await call('POST /schedules', { name: 'same', when: { every: '1h' }, job })).status).toBe(409);
  expect((await call('PATCH /queues/reports', { version: 99, concurrency: 1 })).status).toBe(409);
  await good('PUT /schedules/same', { when: { every: '1h' }, job });
  await good('POST /queues/reports/pause', { note: 'again' });
  const { rateLimit, concurrency, maxDepth, version } = await good<Queue>('GET /queues/reports');
  await good('PUT /queues/reports', { rateLimit, concurrency, maxDepth });
  await good('PATCH /queues/reports', { concurrency, version: version - 1 });
  const limit = { rateLimit: { limit: 5, period: '1m' } };
  for (const stale of [{}, { 'If-Match': '"0"' }]) {
    const { headers, body } = await call<Task>('PATCH /tasks/report.send', limit, stale);
    expect([headers.get('etag'), body.version]).toEqual(['"1"', 1]);
  }
  const other = { rateLimit: null };
  expect((await call('PATCH /tasks/report.send', other, { 'If-Match': '"0"' })).body.code).toBe(
    'task_changed',
  );
  await good('POST /queues/reports/purge', {});
  await good('POST /schedules/same/backfill', {
    from: '2026-01-01T00:00:00Z',
    to: '2026-01-01T00:00:00Z',
    dryRun: true,
  });
  expect((await call('POST /jobs/0190b5a0-7c00-7000-8000-000000000000/cancel', {})).status).toBe(404);
  expect(await newest()).toEqual(made);
});

test('why: in a header, in any language, on one line; else it is refused, and nothing is done', async () => {
  const reason = 'Überlast — 緊急 100%';
  await good('POST /queues/reports/resume', {}, { 'Jetbeat-Reason': encodeURIComponent(reason) });
  expect(await newest()).toMatchObject({ action: 'queue.resume', reason });
  for (const wrong of ['%', '%ff', 'a%0ab', '%1b[31m', 'x'.repeat(501), 'é']) {
    const answer = await call('POST /queues/reports/pause', {}, { 'Jetbeat-Reason': wrong });
    expect(answer.body, wrong).toMatchObject({ status: 400, errors: [{ pointer: 'jetbeat-reason' }] });
  }
  expect((await newest())?.action).toBe('queue.resume');
});

test('read by filter, in pages, by admins alone', async () => {
  const all = await list('limit=200');
  const pages: Change[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body }: { body: Page } = await api.http.call<Page>(
      'GET',
      `/audit?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    pages.push(...body.items);
    cursor = body.nextCursor;
  }
  expect(pages).toEqual(all);
  const of = async (query: string) => new Set((await list(`limit=200&${query}`)).map(({ action }) => action));
  expect(await of('target=task:report.send')).toEqual(new Set(['task.change']));
  expect(await of('target=schedule:reports')).toEqual(new Set());
  expect(await of('target=reports&action=queue.purge')).toEqual(new Set(['queue.purge']));
  expect(await of('actor=nobody')).toEqual(new Set());
  expect(await of(`from=${new Date(Date.now() + 60_000).toISOString()}`)).toEqual(new Set());
  for (const query of ['actor=%00', 'action=', 'cursor=x', 'from=yesterday', 'who=me'])
    expect((await call(`GET /audit?${query}`)).status, query).toBe(400);
  const suggested = async (query: string) => {
    const { status, body } = await call(`GET /audit?${query}`);
    return [status, body.errors[0]?.pointer, body.errors[0]?.suggestion];
  };
  // What nothing can have is no filter.
  expect(await suggested('target=foo:x')).toEqual([400, '?target', undefined]);
  expect(await suggested('target=Queue:mail')).toEqual([400, '?target', 'queue:mail']);
  expect(await suggested('target=queue:')).toEqual([400, '?target', undefined]);
  expect(await suggested('action=queue.paus')).toEqual([400, '?action', 'queue.pause']);
  expect(await suggested('action=whatever')).toEqual([400, '?action', undefined]);
});
