import { join } from 'node:path';
import type { DeadLetter, Job, Replay } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { AppProcess } from '../support/app-process.ts';
import { natsUrl } from '../support/nats.ts';
import { rawJetStream } from '../support/raw-jetstream.ts';
import { waitUntil } from '../support/wait-until.ts';

type Page = { items: DeadLetter[]; nextCursor: string | null };
let group: AppGroup;
let api: AppProcess;

beforeAll(async () => {
  group = await startAppGroup({ JETBEAT_ACK_WAIT: '2s' });
  [api] = await Promise.all([group.start('api'), group.start('recorder'), group.start('scheduler')]);
  await group.start('worker', { JETBEAT_TASKS: join(import.meta.dirname, 'queue-tasks.ts') });
}, 90_000);
afterAll(() => group?.stop(), 60_000);

async function post<T>(path: string, body: object, status = 202): Promise<T> {
  const answer = await group.http.call<T>('POST', path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  return answer.body;
}

async function dies(input: object, more: object = {}): Promise<string> {
  const { id } = await post<{ id: string }>('/jobs', { task: 'test.fragile', input, ...more });
  await group.http.jobIn(id, ['dead']);
  return id;
}

const job = async (id: string) => (await group.http.call<Job>('GET', `/jobs/${id}`)).body;
const letter = (id: string) => group.http.call<DeadLetter>('GET', `/dead-letters/${id}`);

async function list(query: string): Promise<DeadLetter[]> {
  const items: DeadLetter[] = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await group.http.call<Page>('GET', `/dead-letters?limit=2${query}${cursor}`);
    expect(status, JSON.stringify(body)).toBe(200);
    items.push(...body.items);
    if (body.nextCursor === null) return items;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

const audited = async (target: string) => {
  const { body } = await group.http.call<{ items: { action: string }[] }>('GET', `/audit?target=${target}`);
  return body.items.map(({ action }) => action);
};

test('a dead job is replayed as it was, or with another input; links lead both ways', async () => {
  const more = { priority: 'high', meta: { order: '42' }, timeout: { hard: '5s' } };
  const id = await dies({ ok: false, n: 7 }, more);
  const found = await letter(id);
  expect(found.body).toMatchObject({
    id,
    task: 'test.fragile',
    queue: 'default',
    reason: { code: 'attempts_used_up' },
    retries: [],
    job: { id, state: 'dead', input: { ok: false, n: 7 }, error: { message: 'it is not ok' } },
  });
  const exact = await post<{ id: string }>(`/dead-letters/${id}/replay`, {});
  const again = await group.http.jobIn(exact.id, ['dead']);
  expect(again).toMatchObject({
    input: { ok: false, n: 7 },
    priority: 'high',
    meta: { order: '42' },
    retryOf: id,
  });
  const edited = await post<{ id: string }>(`/dead-letters/${exact.id}/replay`, {
    input: { ok: true, n: 8 },
  });
  const done = await group.http.jobIn(edited.id, ['succeeded']);
  expect(done).toMatchObject({
    result: { n: 8 },
    priority: 'high',
    meta: { order: '42' },
    retryOf: exact.id,
  });
  expect((await letter(id)).body.retries).toEqual([exact.id]);
  for (const old of [id, exact.id]) expect(await audited(`job:${old}`)).toEqual(['dead-letter.replay']);
  expect((await letter(edited.id)).status).toBe(404);
});

test('what a schedule made keeps its nominal time', async () => {
  const nominalTime = new Date(Date.now() + 1_000).toISOString();
  const body = {
    name: 'fragile.once',
    when: { at: nominalTime },
    job: { task: 'test.fragile', input: { ok: false } },
  };
  await post('/schedules', body, 201);
  const [dead] = await waitUntil('its job is dead', async () => {
    const page = await group.http.call<Page>('GET', '/dead-letters?task=test.fragile');
    const made = page.body.items.filter((item) => item.job?.schedule);
    return made.length > 0 && made;
  });
  const replay = await post<{ id: string }>(`/dead-letters/${dead?.id}/replay`, { input: { ok: true } });
  const done = await group.http.jobIn(replay.id, ['succeeded']);
  expect(done).toMatchObject({
    schedule: { name: 'fragile.once', nominalTime },
    result: { nominalTime },
  });
});

test('letters are found by what they are; those thrown away are gone, and what never was a job comes last', async () => {
  const raw = await rawJetStream(natsUrl());
  await raw.publish(`${group.namespace}.jobs.default.normal.test.fragile`, Buffer.from('no job at all'));
  const malformed = await waitUntil('it is buried', async () => {
    const [found] = await list('&reason=malformed');
    return found;
  });
  await raw.close();
  expect(malformed).toMatchObject({ task: 'test.fragile', queue: 'default', job: null });
  const whole = await letter(malformed.id);
  expect(Buffer.from(whole.body.message?.body ?? '', 'base64').toString()).toBe('no job at all');
  expect(await group.http.call('POST', `/dead-letters/${malformed.id}/replay`, {})).toMatchObject({
    status: 409,
    body: { code: 'never_a_job' },
  });
  const all = await list('');
  expect(all.at(-1)?.id).toBe(malformed.id);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(await list('&queue=mail')).toEqual([]);
  expect(await list('&reason=attempts_used_up')).toHaveLength(all.length - 1);
  expect(await list('&task=test.other')).toEqual([]);

  const [first] = all;
  for (const id of [first?.id ?? '', malformed.id]) {
    expect(await group.http.call('DELETE', `/dead-letters/${id}`)).toMatchObject({ status: 204 });
    expect(await group.http.call('DELETE', `/dead-letters/${id}`)).toMatchObject({ status: 404 });
    expect(await letter(id)).toMatchObject({ status: 404, body: { code: 'dead_letter_not_found' } });
    expect(await audited(`dead-letter:${id}`)).toEqual(['dead-letter.discard']);
  }
  expect(await list('')).toHaveLength(all.length - 2);
  expect((await job(first?.id ?? '')).state).toBe('dead');
  expect((await letter('message-9999')).status).toBe(404);
  expect((await letter('none')).status).toBe(404);
});

test('all that match are replayed at a rate, each once, though every API dies in the middle', async () => {
  const many = 60;
  const ids = await Promise.all(
    Array.from({ length: many }, (_, n) =>
      dies({ ok: false, n }, { queue: 'default', meta: { batch: 'b' } }),
    ),
  );
  const [oldest = ''] = ids.toSorted();
  const from = (await job(oldest)).createdAt;
  const filter = { task: 'test.fragile', from };
  expect(await post<Replay>('/dead-letters/replay', { filter, dryRun: true }, 200)).toEqual({
    id: null,
    state: 'counted',
    count: many,
    replayed: 0,
    skipped: 0,
  });
  const begun = Date.now();
  const { id } = await post<Replay>('/dead-letters/replay', { filter, rate: 20 });
  const far = () => group.http.call<Replay>('GET', `/dead-letters/replay/${id}`).then(({ body }) => body);
  await waitUntil('it has begun', async () => (await far()).replayed >= 10);
  await api.kill();
  api = await group.start('api');
  const done = await waitUntil('it is done', async () => {
    const now = await far();
    return now.state === 'done' && now;
  });
  expect(done).toMatchObject({ replayed: many, skipped: 0 });
  expect(Date.now() - begun).toBeGreaterThan((1_000 * (many - 20)) / 20);
  await waitUntil(
    'all have run',
    async () => {
      const letters = await Promise.all(ids.map((old) => letter(old)));
      expect(letters.every(({ body }) => body.retries?.length === 1)).toBe(true);
      const made = await Promise.all(letters.map(({ body }) => job(body.retries?.[0] ?? '')));
      return made.every(({ state, attempts }) => state === 'dead' && attempts.length === 1);
    },
    { timeoutMs: 30_000, everyMs: 1_000 },
  );
  expect((await post<Replay>('/dead-letters/replay', { filter, dryRun: true }, 200)).count).toBe(many);
  const two = await post<Replay>('/dead-letters/replay', { filter, limit: 2 });
  await waitUntil('two are done', async () => {
    const { body } = await group.http.call<Replay>('GET', `/dead-letters/replay/${two.id}`);
    return body.state === 'done' && body.replayed === 2;
  });
  expect(await group.http.call('GET', '/dead-letters/replay/none')).toMatchObject({ status: 404 });
}, 120_000);
