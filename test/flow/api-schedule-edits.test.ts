import type { Problem, Queue, Schedule } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.stop());

const job = { task: 'report.send', input: { to: 'a' } };
const daily = { when: { cron: '0 3 * * *' }, timeZone: 'Europe/Paris', job };

function put(name: string, body: object, headers?: Record<string, string>) {
  return api.http.call<Schedule & Problem>('PUT', `/schedules/${encodeURIComponent(name)}`, body, headers);
}
function patch(name: string, body: object, headers?: Record<string, string>) {
  return api.http.call<Schedule & Problem>('PATCH', `/schedules/${encodeURIComponent(name)}`, body, headers);
}

test('PUT makes it, says the same again without a change, and makes it another one', async () => {
  const made = await put('edits/put', daily);
  expect([made.status, made.headers.get('etag'), made.headers.get('location')]).toEqual([
    ...[201, '"1"', '/api/v1/schedules/edits%2Fput'],
  ]);
  expect(made.body).toMatchObject({
    name: 'edits/put',
    ...daily,
    version: 1,
    state: 'active',
    overlap: 'skip',
  });
  const again = await put('edits/put', { name: 'edits/put', ...daily });
  expect([again.status, again.body.version, again.body.updatedAt]).toEqual([200, 1, made.body.updatedAt]);
  const other = await put('edits/put', { ...daily, overlap: 'buffer-all', labels: { team: 'media' } });
  expect([other.status, other.headers.get('etag')]).toEqual([200, '"2"']);
  expect(other.body).toMatchObject({ version: 2, overlap: 'buffer-all', labels: { team: 'media' } });
  expect(other.body.createdAt).toBe(made.body.createdAt);
  const back = await put('edits/put', daily);
  expect(back.body).toMatchObject({ version: 3, overlap: 'skip' });
  expect('labels' in back.body).toBe(false);
});

test('who has read an older version is told both, and what is different', async () => {
  await put('edits/stale', daily);
  const mine = { 'If-Match': '"1"' };
  expect((await put('edits/stale', { ...daily, overlap: 'allow' }, mine)).status).toBe(200);
  const theirs = { ...daily, overlap: 'cancel-previous' };
  const refused = await put('edits/stale', theirs, mine);
  expect(refused.body).toMatchObject({
    status: 409,
    code: 'stale',
    errors: [{ pointer: '/overlap' }],
    current: { version: 2, schedule: { ...daily, overlap: 'allow' } },
    yours: { ifMatch: '"1"', schedule: theirs },
  });
  expect((await patch('edits/stale', { overlap: 'cancel-previous' }, mine)).status).toBe(409);
  // The answer to a change may be lost: it is there already.
  expect((await put('edits/stale', { ...daily, overlap: 'allow' }, mine)).status).toBe(200);
  expect((await put('edits/stale', theirs, { 'If-Match': '"2"' })).body).toMatchObject({ version: 3 });
  expect((await put('edits/stale', daily, { 'If-Match': '*' })).body).toMatchObject({ version: 4 });
  expect((await put('edits/none', daily, mine)).body).toMatchObject({ code: 'schedule_not_found' });
});

test('If-None-Match: * makes what there is not, and touches nothing that is there', async () => {
  const none = { 'If-None-Match': '*' };
  expect((await put('edits/mine', daily, none)).status).toBe(201);
  for (const theirs of [{ ...daily, overlap: 'allow' }, daily])
    expect((await put('edits/mine', theirs, none)).body).toMatchObject({
      status: 412,
      code: 'already_there',
    });
  const { body } = await api.http.call<Schedule>('GET', '/schedules/edits%2Fmine');
  expect(body).toMatchObject({ version: 1, overlap: 'skip' });
  const all = await Promise.all([1, 2, 3, 4].map(() => put('edits/raced', daily, none)));
  expect(all.map(({ status }) => status).sort()).toEqual([201, 412, 412, 412]);
});

test('a queue has versions like a schedule: who has read an older one is refused, and who repeats himself is not', async () => {
  const queue = (method: string, body?: object, headers?: Record<string, string>) =>
    api.http.call<Queue & Problem>(method, '/queues/versioned', body, headers);
  const none = { 'If-None-Match': '*' };
  expect((await queue('PUT', {}, { 'If-Match': '"1"' })).body).toMatchObject({ code: 'queue_not_found' });
  const made = await queue('PUT', { maxDepth: 5 }, none);
  expect([made.status, made.headers.get('etag'), made.headers.get('location'), made.body.version]).toEqual([
    ...[201, '"1"', '/api/v1/queues/versioned', 1],
  ]);
  expect((await queue('PUT', { maxDepth: 6 }, none)).body).toMatchObject({
    status: 412,
    code: 'already_there',
  });
  const mine = { 'If-Match': '"1"' };
  // As after an answer that was lost, or a 503: the first was stored.
  for (const times of [1, 2]) {
    const answer = await queue('PATCH', { concurrency: 3 }, mine);
    expect([answer.status, answer.headers.get('etag')], `${times}`).toEqual([200, '"2"']);
    expect((await queue('PUT', { maxDepth: 5, concurrency: 3, version: 1 })).body.version).toBe(2);
  }
  const refused = { status: 409, code: 'queue_changed' };
  expect((await queue('PATCH', { concurrency: 4 }, mine)).body).toMatchObject(refused);
  expect((await queue('PUT', { concurrency: 4, version: 1 })).body).toMatchObject(refused);
  expect((await queue('GET')).headers.get('etag')).toBe('"2"');
  const pause = await api.http.call('POST', '/queues/versioned/pause', {});
  const resume = await api.http.call('POST', '/queues/versioned/resume', {});
  expect([pause, resume].map(({ headers }) => headers.get('etag'))).toEqual(['"3"', '"4"']);
  expect((await queue('PATCH', { concurrency: 4 }, { 'If-Match': '"4"' })).body.version).toBe(5);
});

test('PATCH changes what it names, takes away what is null, and leaves the rest', async () => {
  await put('edits/patch', { ...daily, labels: { a: '1', b: '2' }, catchUp: { all: 3 }, jitter: '5s' });
  const merged = await patch('edits/patch', {
    labels: { a: null, c: '3' },
    job: { input: { cc: 'b' }, queue: 'mail' },
    jitter: null,
    catchUp: { spread: '1m' },
  });
  expect(merged.body).toMatchObject({
    version: 2,
    labels: { b: '2', c: '3' },
    catchUp: { all: 3, spread: '1m' },
    when: daily.when,
    job: { task: 'report.send', input: { to: 'a', cc: 'b' }, queue: 'mail' },
  });
  expect('jitter' in merged.body).toBe(false);
  const rule = await patch(
    'edits/patch',
    { when: { every: '10m', from: '2026-01-01T00:00:00.000Z' } },
    { 'content-type': 'application/merge-patch+json' },
  );
  expect(rule.body.when).toEqual({ every: '10m', from: '2026-01-01T00:00:00.000Z' });
  expect((await patch('edits/patch', { when: { every: '5m' } })).body.when).toEqual({
    every: '5m',
    from: '2026-01-01T00:00:00.000Z',
  });
  expect((await patch('edits/patch', { when: { cron: '0 4 * * *' } })).body.when).toEqual({
    cron: '0 4 * * *',
  });
  expect((await patch('edits/patch', {})).body.version).toBe(5);
});

test.each([
  ['an unknown field', { overlaps: 'allow' }, 400, '/overlaps', 'unknown_field'],
  ['an unknown field, taken away', { overlaps: null }, 400, '/overlaps', 'unknown_field'],
  ['what is only told', { paused: null }, 400, '/paused', 'unknown_field'],
  ['what must be there', { when: null }, 400, '/when', 'missing_field'],
  ['a wrong value inside', { job: { retry: { attempts: 0 } } }, 400, '/job/retry/attempts', 'invalid_value'],
  ['another name', { name: 'edits/other' }, 400, '/name', 'invalid_value'],
  ['a cron that cannot be read', { when: { cron: 'x' } }, 422, '/when/cron', 'invalid_cron'],
  [
    'an end before the begin',
    { startAt: '2030-01-01T00:00:00Z', endAt: '2029-01-01T00:00:00Z' },
    422,
    '',
    '',
  ],
])('PATCH refuses %s and changes nothing', async (_name, body, status, pointer, code) => {
  await put('edits/refused', daily);
  const answer = await patch('edits/refused', body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  if (pointer !== '') expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer, code }));
  const { body: after } = await api.http.call<Schedule>('GET', '/schedules/edits%2Frefused');
  expect(after).toMatchObject({ ...daily, version: 1 });
});

test('one whose times are over may be changed in all else, and gets new times', async () => {
  const at = new Date(Date.now() + 1_500).toISOString();
  await put('edits/over', { when: { at }, job });
  await expect
    .poll(async () => (await api.http.call<Schedule>('GET', '/schedules/edits%2Fover')).body.nextTimes, {
      timeout: 5_000,
    })
    .toEqual([]);
  expect((await patch('edits/over', { labels: { kept: 'yes' } })).status).toBe(200);
  expect((await patch('edits/over', { when: { at: '2020-01-01T00:00:00Z' } })).body.code).toBe(
    'invalid_schedule',
  );
  expect((await patch('edits/over', { when: { at: '2030-01-01T00:00:00Z' } })).body.nextTimes).toEqual([
    '2030-01-01T00:00:00.000Z',
  ]);
});

test('many are made at once, or none of them', async () => {
  const many = Array.from({ length: 300 }, (_, index) => ({ name: `many/${index}`, ...daily }));
  const made = await api.http.call('POST', '/schedules/batch', { schedules: many });
  expect([made.status, made.body]).toEqual([
    ...[201, { created: 300, warnings: [expect.objectContaining({ code: 'no_worker' })] }],
  ]);
  const { body: one } = await api.http.call<Schedule>('GET', '/schedules/many%2F299');
  expect(one).toMatchObject({ ...daily, version: 1, state: 'active' });
  expect(one.nextTimes).toHaveLength(5);
  const taken = await api.http.call<Problem>('POST', '/schedules/batch', {
    schedules: [{ name: 'many/new', ...daily }, many[7]],
  });
  expect(taken.body).toMatchObject({ code: 'schedule_exists', errors: [{ pointer: '/schedules/1/name' }] });
  const wrong = await api.http.call<Problem>('POST', '/schedules/batch', {
    schedules: [
      { name: 'many/new', ...daily },
      { name: 'many/new', ...daily },
      { name: 'many/bad', ...daily, when: { cron: '61 * * * *' } },
    ],
  });
  expect(wrong.body).toMatchObject({
    status: 422,
    errors: [{ pointer: '/schedules/1/name' }, { pointer: '/schedules/2/when/cron' }],
  });
  expect((await api.http.call('GET', '/schedules/many%2Fnew')).status).toBe(404);
});

test('lists are by task, state, a part of the name and labels', async () => {
  const other = { task: 'other.task', input: 1 };
  await put('list/a', { ...daily, labels: { team: 'media', tier: '1' } });
  await put('list/b', { ...daily, labels: { team: 'web' } });
  await put('list/C', { ...daily, job: other, labels: { team: 'media' } });
  await api.http.call('POST', '/schedules/list%2Fb/pause', { note: 'later' });
  const names = async (query: string) => {
    const { body } = await api.http.call<{ items: Schedule[]; nextCursor: string | null }>(
      ...(['GET', `/schedules?search=LIST/&${query}`] as const),
    );
    return body.items.map(({ name }) => name);
  };
  expect(await names('')).toEqual(['list/C', 'list/a', 'list/b'].sort());
  expect(await names('task=other.task')).toEqual(['list/C']);
  expect(await names('state=paused')).toEqual(['list/b']);
  expect(await names('state=finished&state=problem')).toEqual([]);
  expect((await names('state=active')).sort()).toEqual(['list/C', 'list/a']);
  expect((await names('label=team:media')).sort()).toEqual(['list/C', 'list/a']);
  expect(await names('label=team:media&label=tier')).toEqual(['list/a']);
  expect((await api.http.call('GET', '/schedules?state=broken')).status).toBe(400);
});

test('deleted only as it was read, and made again it is another one', async () => {
  await put('edits/gone', daily);
  await patch('edits/gone', { overlap: 'allow' });
  const refused = await api.http.call<Problem>('DELETE', '/schedules/edits%2Fgone', undefined, {
    'If-Match': '"1"',
  });
  expect(refused.body).toMatchObject({ code: 'stale', current: { version: 2 } });
  expect(
    (await api.http.call('DELETE', '/schedules/edits%2Fgone', undefined, { 'If-Match': '"2"' })).status,
  ).toBe(204);
  expect((await put('edits/gone', daily)).body.version).toBe(1);
});

test('of many at once one makes it, one of those who have read the same version changes it', async () => {
  const all = <T>(ask: (index: number) => Promise<T>) =>
    Promise.all(Array.from({ length: 12 }, (_, n) => ask(n)));
  const puts = await all(() => put('edits/many', daily));
  expect(puts.map(({ status }) => status).sort()).toEqual([...Array(11).fill(200), 201]);
  expect(new Set(puts.map(({ body }) => body.version))).toEqual(new Set([1]));
  const patches = await all((n) => patch('edits/many', { labels: { by: `${n}` } }, { 'If-Match': '"1"' }));
  expect(patches.map(({ status }) => status).sort()).toEqual([200, ...Array(11).fill(409)]);
  const key = { 'Idempotency-Key': 'many' };
  const path = '/schedules/edits%2Fmany/trigger';
  const runs = await all(() => api.http.call<{ jobId: string; code: string }>('POST', path, {}, key));
  const answered = runs.filter(({ status }) => status === 202);
  expect(new Set(answered.map(({ body }) => body.jobId)).size).toBe(1);
  for (const { status, body } of runs)
    if (status !== 202) expect([status, body.code]).toEqual([409, 'request_in_flight']);
  const { body } = await api.http.call<{ items: object[] }>('GET', '/schedules/edits%2Fmany/occurrences');
  expect(body.items).toHaveLength(1);
});
