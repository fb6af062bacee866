import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Batch, DeadLetter, Job } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import { waitUntil } from '../support/wait-until.ts';

let group: AppGroup;

beforeAll(async () => {
  group = await startAppGroup({ JETBEAT_ACK_WAIT: '2s' });
  await Promise.all([group.start('api'), group.start('recorder')]);
  await group.start('worker', { JETBEAT_TASKS: join(import.meta.dirname, 'queue-tasks.ts') });
}, 90_000);
afterAll(() => group?.stop(), 60_000);

async function ask(body: object, status = 202, headers: Record<string, string> = {}): Promise<Batch> {
  const answer = await group.http.call<Batch>('POST', '/batches', body, headers);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
  return answer.body;
}
const get = async (id: string | null) => (await group.http.call<Batch>('GET', `/batches/${id}`)).body;
const over = (id: string | null) =>
  waitUntil('the batch is over', async () => {
    const now = await get(id);
    return (now.state === 'done' || now.state === 'aborted') && now;
  });
const post = (count: number, body: object) =>
  Promise.all(Array.from({ length: count }, (_, n) => group.http.post({ input: { n, ok: true }, ...body })));
const states = async (ids: readonly string[]) =>
  (await Promise.all(ids.map((id) => group.http.job(id)))).map(({ state }) => state);
const all = (ids: readonly string[], state: string) => ids.map(() => state);

test('what is counted first is then done, with what fitted when it was asked for', async () => {
  const ids = await post(30, { task: 'test.fragile', delay: '1h', meta: { team: 'red' } });
  const [other = ''] = await post(1, { task: 'test.fragile', delay: '1h', meta: { team: 'blue' } });
  const filter = { task: 'test.fragile', meta: { team: 'red' } };
  const counted = await ask({ action: 'cancel', filter, dryRun: true }, 200);
  expect(counted).toMatchObject({
    id: null,
    state: 'counted',
    total: { value: 30, capped: false },
    by: null,
  });
  expect(counted.warnings.map(({ code }) => code)).toEqual(['last_7_days']);
  const since = Date.now() - Date.parse(counted.filter.from ?? '');
  expect(since).toBeGreaterThanOrEqual(7 * 86_400_000);
  const answer = await group.http.call<Batch>(
    'POST',
    '/batches',
    { action: 'cancel', filter, rate: 1_000, reason: 'the reports are wrong' },
    { 'idempotency-key': 'once' },
  );
  expect(answer.status).toBe(202);
  expect(answer.headers.get('location')).toBe(`/api/v1/batches/${answer.body.id}`);
  const [late = ''] = await post(1, { task: 'test.fragile', delay: '1h', meta: { team: 'red' } });
  const done = await over(answer.body.id);
  expect(done).toMatchObject({
    state: 'done',
    done: 30,
    skipped: 0,
    failed: 0,
    failures: [],
    total: { value: 30 },
  });
  expect(done.reason).toBe('the reports are wrong');
  expect(await states(ids)).toEqual(all(ids, 'cancelled'));
  expect((await group.http.job(ids[0] ?? '')).reason?.text).toContain('the reports are wrong');
  expect(await states([other, late])).toEqual(['scheduled', 'scheduled']);
  const again = await ask({ action: 'cancel', filter, rate: 1_000, reason: 'the reports are wrong' }, 202, {
    'idempotency-key': 'once',
  });
  expect(again.id).toBe(answer.body.id);
  const audit = await group.http.call<{ items: { action: string; reason: string }[] }>(
    'GET',
    `/audit?target=batch:${answer.body.id}`,
  );
  expect(audit.body.items.map(({ action, reason }) => [action, reason])).toEqual([
    ['batch.end', 'the reports are wrong'],
    ['batch.create', 'the reports are wrong'],
  ]);
});

test('what waits is run now, what is dead is retried or thrown away, and what ran already is let be', async () => {
  const ids = await post(10, { task: 'test.fragile', delay: '1h', meta: { batch: 'now' } });
  const { id } = await ask({ action: 'run-now', filter: { ids } });
  expect(await over(id)).toMatchObject({
    done: 10,
    failed: 0,
    warnings: [],
    filter: { from: null, to: null },
  });
  for (const one of ids) expect((await group.http.jobIn(one, ['succeeded'])).attempts).toHaveLength(1);

  const dead = await post(8, { task: 'test.fragile', input: { ok: false }, meta: { batch: 'dead' } });
  for (const one of dead) await group.http.jobIn(one, ['dead']);
  const filter = { search: 'task:test.fra* meta.batch:dead' };
  const retried = await over((await ask({ action: 'retry', filter, limit: 5 })).id);
  expect(retried).toMatchObject({ done: 5, skipped: 0, filter: { state: ['dead', 'expired'], ...filter } });
  const made = await Promise.all(
    dead.map(async (one) => (await group.http.call<Job>('GET', `/jobs/${one}`)).body.retriedBy ?? []),
  );
  // The oldest first, each once.
  expect(made.map(({ length }) => length).toSorted()).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
  for (const one of made.flat()) await group.http.jobIn(one, ['dead']);
  const rest = await over((await ask({ action: 'replay', filter: { ids: dead } })).id);
  expect(rest).toMatchObject({ done: 3, skipped: 0, total: { value: 3 } });
  const letters = async () =>
    (await group.http.call<{ items: DeadLetter[] }>('GET', '/dead-letters?limit=200')).body.items.map(
      (letter) => letter.id,
    );
  expect(await letters()).toEqual(expect.arrayContaining(dead));
  expect(await over((await ask({ action: 'discard', filter: { ids: dead } })).id)).toMatchObject({ done: 8 });
  expect((await letters()).filter((letter) => dead.includes(letter))).toEqual([]);
  expect(await states(dead)).toEqual(all(dead, 'dead'));

  // With an id they are not looked for by their state alone: what is over is none of them.
  expect(await over((await ask({ action: 'cancel', filter: { ids } })).id)).toMatchObject({
    done: 0,
    skipped: 0,
  });
});

test('a batch that is aborted begins nothing more, and what was done stays', async () => {
  const ids = await post(60, { task: 'test.fragile', delay: '1h', meta: { batch: 'slow' } });
  const { id } = await ask({ action: 'cancel', filter: { meta: { batch: 'slow' } }, rate: 10 });
  await waitUntil('it has begun', async () => (await get(id)).done >= 5);
  const abort = await group.http.call<Batch>('POST', `/batches/${id}/abort`, {});
  expect([200, 202]).toContain(abort.status);
  const aborted = await over(id);
  expect(aborted).toMatchObject({ state: 'aborted' });
  expect(aborted.done).toBeLessThan(60);
  expect((await states(ids)).filter((state) => state === 'cancelled')).toHaveLength(aborted.done);
  expect(await group.http.call('POST', `/batches/${id}/abort`, {})).toMatchObject({ status: 200 });
  const rest = await ask({ action: 'cancel', filter: { meta: { batch: 'slow' } }, rate: 1_000 });
  await over(rest.id);
  const late = await group.http.call('POST', `/batches/${rest.id}/abort`, {});
  expect(late).toMatchObject({ status: 409, body: { code: 'batch_ended' } });
  const list = await group.http.call<{ items: Batch[]; nextCursor: string }>('GET', '/batches?limit=1');
  expect(list.body.items[0]).toMatchObject({ id: rest.id, action: 'cancel', state: 'done' });
  const next = await group.http.call<{ items: Batch[] }>(
    'GET',
    `/batches?limit=1&cursor=${list.body.nextCursor}`,
  );
  expect(next.body.items[0]?.id).toBe(id);
  const found = await group.http.call<{ items: Batch[] }>('GET', '/batches?state=aborted');
  expect(found.body.items.map((batch) => batch.id)).toEqual([id]);
});

test('what makes no sense is refused with what would', async () => {
  const wrong: [object, string][] = [
    [{ action: 'discard', filter: { state: ['queued'] } }, '/filter/state/0'],
    [{ action: 'cancel', filter: { search: 'tsk:a' } }, '/filter/search'],
    [{ action: 'cancel', filter: { from: '2026-02-30T00:00:00Z' } }, '/filter/from'],
    [{ action: 'cancel', filter: { tsk: 'a' } }, '/filter/tsk'],
    [{ action: 'delete', filter: {} }, '/action'],
    [{ action: 'cancel', filter: {} }, '/filter'],
    [{ action: 'cancel' }, '/filter'],
  ];
  for (const [body, pointer] of wrong) {
    const answer = await group.http.call<{ errors: { pointer: string }[] }>('POST', '/batches', body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(400);
    expect(answer.body.errors.map((error) => error.pointer)).toContain(pointer);
  }
  for (const id of ['none', crypto.randomUUID()])
    expect(await group.http.call('GET', `/batches/${id}`)).toMatchObject({
      status: 404,
      body: { code: 'batch_not_found' },
    });
});

test('the calls on the page do what it says', async () => {
  const text = await readFile(resolve(import.meta.dirname, '../../docs/batches.md'), 'utf8');
  const calls = [...text.matchAll(/^curl -X (\w+) \$JETBEAT_URL\/api\/v1(\S+) .*-d '([^']+)'$/gm)];
  let last = '';
  const answers: number[] = [];
  for (const [, method = '', path = '', body = ''] of calls) {
    const answer = await group.http.call<Batch>(method, path.replace('$ID', last), JSON.parse(body));
    answers.push(answer.status === 409 ? 200 : answer.status);
    last = answer.body.id ?? last;
  }
  // The last one is aborted, unless it is done already: there is nothing to do.
  expect(answers).toEqual([200, 202, 202, 200]);
});
