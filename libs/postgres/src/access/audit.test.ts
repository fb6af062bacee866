import type { AuditAction } from '@jetbeat/core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleJob, sampleSpec } from '../database/sample.ts';
import { getJob, insertJobs } from '../jobs/jobs.ts';
import { changeQueue, getQueue, seedQueues } from '../queues/queues.ts';
import { changeTaskLimits } from '../queues/task-limits.ts';
import { createSchedules } from '../schedules/create-schedules.ts';
import { editSchedule } from '../schedules/edit-schedule.ts';
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  pauseSchedule,
  resumeSchedule,
} from '../schedules/schedules.ts';
import { type AuditEntry, type AuditNote, type AuditOf, listAudit, noteAudit, retainAudit } from './audit.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('audit-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run(`with said as (select set_config('jetbeat.retain_audit', 'on', true))
    delete from audit where exists (select from said)`);
});

const note: AuditNote = {
  actor: { kind: 'key', id: 'ops', name: 'Ops', role: 'admin' },
  address: '10.0.0.1',
  reason: 'odd \u0000 text',
  traceId: '0af7651916cd43dd8448eb211c80319c',
};
const of =
  (action: string, id: string): AuditOf<unknown> =>
  (before, after) => ({ note, action: action as AuditAction, target: { kind: 'task', id }, before, after });
const actions = async () => (await listAudit(db, { limit: 100 })).map(({ action }) => action).reverse();

test('a change is there with who made it, and what it was before and after', async () => {
  await changeQueue(db, { name: 'mail', now: NOON, change: () => ({ concurrency: 3 }) });
  await changeQueue(db, {
    name: 'mail',
    now: NOON,
    audit: of('queue.change', 'mail'),
    change: () => ({ concurrency: 2 }),
  });
  const [row] = await listAudit(db, { limit: 2 });
  expect(row).toEqual({
    id: expect.any(Number),
    at: expect.any(Number),
    ...note,
    reason: 'odd \ufffd text',
    action: 'queue.change',
    target: { kind: 'task', id: 'mail' },
    before: { own: { concurrency: 3 }, version: 1 },
    after: { own: { concurrency: 2 }, version: 2 },
  });
  await changeQueue(db, { name: 'mail', now: NOON, change: () => undefined, audit: of('none', 'mail') });
  expect(await actions()).toEqual(['queue.change']);
});

test('what is not changed leaves no row, and a row that cannot be written takes the change with it', async () => {
  const definition = sampleSpec('one');
  const create = (action: string) =>
    createSchedule(db, { id: newId(), name: 'one', definition, now: NOON, audit: of(action, 'one') });
  await create('create');
  await expect(create('again')).rejects.toMatchObject({ code: 'conflict' });
  const edit = (action: string, fields: object, fail?: Error) =>
    editSchedule(db, {
      name: 'one',
      audit: of(action, 'one'),
      edit(before) {
        if (fail) throw fail;
        return Object.keys(fields).length === 0 ? undefined : { ...before.definition, ...fields };
      },
    });
  await edit('same', {});
  await expect(edit('failed', {}, new Error('no'))).rejects.toThrow('no');
  const bad = () => ({ ...of('bad', 'one')(undefined, undefined), action: null }) as unknown as AuditEntry;
  const broken = editSchedule(db, {
    name: 'one',
    audit: bad,
    edit: () => ({ ...definition, overlap: 'allow' }),
  });
  await expect(broken).rejects.toThrow(/null value/);
  expect((await getSchedule(db, 'one'))?.definition.overlap).toBe(definition.overlap);
  const badQueue = changeQueue(db, { name: 'never', now: NOON, change: () => ({ maxDepth: 1 }), audit: bad });
  await expect(badQueue).rejects.toThrow(/null/);
  expect(await getQueue(db, 'never')).toBeUndefined();
  await edit('changed', { overlap: 'buffer-all' });
  await pauseSchedule(db, { name: 'one', by: 'ops', now: NOON, audit: of('paused', 'one') });
  await pauseSchedule(db, { name: 'one', by: 'ops', now: NOON, audit: of('paused twice', 'one') });
  await resumeSchedule(db, { name: 'one', now: NOON, audit: of('resumed', 'one') });
  await resumeSchedule(db, { name: 'one', now: NOON, audit: of('resumed twice', 'one') });
  await deleteSchedule(db, 'one', { version: 99, audit: of('stale', 'one') });
  await deleteSchedule(db, 'one', { audit: of('deleted', 'one') });
  await deleteSchedule(db, 'one', { audit: of('deleted twice', 'one') });
  expect(await actions()).toEqual(['create', 'changed', 'paused', 'resumed', 'deleted']);
});

test('many at once: a row each, and none where they were made before by the same request', async () => {
  const schedules = ['a', 'b'].map((name) => ({ id: newId(), definition: sampleSpec(name) }));
  const audit = of('create', 'many');
  expect(await createSchedules(db, { schedules, now: NOON, audit })).toEqual([]);
  expect(await createSchedules(db, { schedules, now: NOON, audit })).toEqual([]);
  const others = schedules.map(({ definition }) => ({ id: newId(), definition }));
  expect((await createSchedules(db, { schedules: others, now: NOON, audit })).toSorted()).toEqual(['a', 'b']);
  expect(await actions()).toEqual(['create', 'create']);
  const job = sampleJob();
  const audited = () => of('job', 'x')(undefined, undefined);
  expect(await insertJobs(db, [job], { audit: audited })).toEqual([job.envelope.id]);
  expect(await insertJobs(db, [job], { audit: audited })).toEqual([]);
  const broken = sampleJob();
  const bad = () => ({ ...audited(), action: null }) as unknown as AuditEntry;
  await expect(insertJobs(db, [broken], { audit: bad })).rejects.toThrow(/null value/);
  expect(await getJob(db, broken.envelope.id)).toBeUndefined();
  const rate = { limit: 1, periodMs: 1_000, per: 'task' as const };
  await changeTaskLimits(db, { name: 't', now: NOON, change: () => ({ rate }), audit: of('task', 't') });
  await changeTaskLimits(db, { name: 't', now: NOON, change: () => ({}), audit: of('nothing', 't') });
  expect(await actions()).toEqual(['create', 'create', 'job', 'task']);
});

test('it is only added to, whoever tries, and read by filter in pages', async () => {
  const entry = (actor: string, action: string, id: string) => ({
    note: { actor: { ...note.actor, id: actor } },
    action: action as AuditAction,
    target: { kind: 'queue' as const, id },
  });
  for (let n = 0; n < 5; n++) await noteAudit(db, entry(`a${n % 2}`, n < 3 ? 'pause' : 'resume', `q${n}`));
  for (const text of ['update audit set action = $1', 'delete from audit where action <> $1'])
    await expect(inside(db).run(text, ['x'])).rejects.toThrow(/only added to/);
  await expect(inside(db).run('truncate audit')).rejects.toThrow(/only added to/);
  const list = async (params: object) =>
    (await listAudit(db, { limit: 10, ...params })).map(({ target }) => target.id);
  expect(await list({})).toEqual(['q4', 'q3', 'q2', 'q1', 'q0']);
  expect(await list({ actor: 'a1' })).toEqual(['q3', 'q1']);
  expect(await list({ action: 'pause', actor: 'a0' })).toEqual(['q2', 'q0']);
  expect(await list({ target: { id: 'q2' } })).toEqual(['q2']);
  expect(await list({ target: { kind: 'job', id: 'q2' } })).toEqual([]);
  const page = await listAudit(db, { limit: 2 });
  expect(await list({ after: page[1] })).toEqual(['q2', 'q1', 'q0']);
  const [newest] = page;
  expect(await list({ from: (newest?.at ?? 0) + 1 })).toEqual([]);
  expect(await list({ to: (newest?.at ?? 0) + 1 })).toHaveLength(5);
  expect(await retainAudit(db, { before: (newest?.at ?? 0) + 1, limit: 4 })).toBe(4);
  expect(await list({})).toEqual(['q4']);
  expect(await retainAudit(db, { before: 0, limit: 4 })).toBe(0);
});

test('what another configuration changes is there too, once', async () => {
  const seed = (limits: object) => seedQueues(db, { queues: new Map([['seeded', limits]]), now: NOON });
  await seed({});
  await seed({ concurrency: 5 });
  await seed({ concurrency: 5 });
  await seed({ concurrency: 7, rateLimit: { limit: 1, periodMs: 60_000 } });
  const after = { concurrency: 7, rateLimit: { limit: 1, period: '1m' } };
  const rows = await listAudit(db, { limit: 9, target: { kind: 'queue', id: 'seeded' } });
  expect(rows.map(({ actor, action, before, after }) => [actor.id, action, before, after])).toEqual([
    ['configuration', 'queue.configure', { concurrency: 5 }, after],
    ['configuration', 'queue.configure', null, { concurrency: 5 }],
  ]);
});
