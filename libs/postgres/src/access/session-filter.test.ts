import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { listAudit } from './audit.ts';
import { endSessions } from './end-sessions.ts';
import { countSessions, listSessions } from './list-sessions.ts';
import { holderOfSession, type SessionFilter, type SessionHolder, seesSession } from './session-filter.ts';
import { ALL, sessionEntry, sessionSamples } from './session-samples.ts';
import { getSession, type SessionRecord } from './sessions.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase();
  db = made.db;
  return made.drop;
});
const { addKey, begin, clear, put } = sessionSamples(() => db);
beforeEach(clear);

const ANN = { issuer: 'https://i.example', subject: 'ann' };
const BEA = { ...ANN, subject: 'bea' };
const ofKey = (id: string) =>
  ({ beganBy: 'key', key: { id, hash: `h-${id}` }, issuer: undefined, subject: undefined }) as const;

const own = (holder: SessionHolder) => ({ own: holder, all: false });
const ADMIN = ALL.seenBy;
const NOBODY = ADMIN.own;
const ids = async (filter: SessionFilter) => {
  const found = (await listSessions(db, { ...filter, limit: 99 })).map(({ id }) => id).sort();
  expect(await countSessions(db, filter)).toEqual({ value: found.length, capped: false });
  return found;
};

describe('who sees which sessions', () => {
  let all: SessionRecord[];
  beforeEach(async () => {
    await addKey({ id: 'k1', hash: 'h-k1' });
    await addKey({ id: 'k2', hash: 'h-k2' });
    await begin('ann1', { ...ANN, queues: ['mail'] });
    await begin('ann2', ANN);
    await begin('ann3', { ...ANN, beganBy: 'link', parent: 'ann2' });
    await begin('bea1', { ...BEA, queues: ['mail'] });
    await begin('other', { ...ANN, issuer: 'https://else.example' });
    await begin('key1', ofKey('k1'));
    await begin('key3', { ...ofKey('k1'), beganBy: 'link' });
    // Should a key ever have been known by a name that a provider gave.
    await begin('key2', { ...ofKey('k2'), ...ANN });
    all = await listSessions(db, { seenBy: ADMIN, limit: 99 });
    expect(all).toHaveLength(8);
  });

  test.each<[string, SessionFilter['seenBy'], string[]]>([
    ['a person', own(ANN), ['ann1', 'ann2', 'ann3']],
    ['another person', own(BEA), ['bea1']],
    ['a key', own({ key: 'k1' }), ['key1', 'key3']],
    ['what a link has begun', own({ session: 'ann3' }), ['ann3']],
    ['what a link of a key has begun', own({ session: 'key3' }), ['key3']],
    ['nobody', own(NOBODY), []],
    ['an admin', ADMIN, ['ann1', 'ann2', 'ann3', 'bea1', 'key1', 'key2', 'key3', 'other']],
    ['an admin of some queues', { ...ADMIN, within: ['mail', 'sms'] }, ['ann1', 'bea1']],
    ['an admin of other queues', { ...ADMIN, within: ['sms'] }, []],
    ['an admin of some queues who is somebody', { own: BEA, all: true, within: ['sms'] }, ['bea1']],
  ])('%s: in the list, and one by one', async (_, seenBy, expected) => {
    expect(await ids({ seenBy })).toEqual(expected);
    const each = all.filter((session) => seesSession(seenBy, session));
    expect(each.map(({ id }) => id).sort()).toEqual(expected);
  });

  test.each<[Omit<SessionFilter, 'seenBy'>, string[], string[]]>([
    [{ subject: 'ann' }, ['ann1', 'ann2', 'ann3', 'key2', 'other'], ['ann1', 'ann2', 'ann3']],
    [{ subject: 'bea' }, ['bea1'], []],
    [{ key: 'k1' }, ['key1', 'key3'], []],
    [{ name: 'bea1' }, ['bea1'], []],
    [{ name: 'ann1', subject: 'ann' }, ['ann1'], ['ann1']],
    [{ own: true }, [], ['ann1', 'ann2', 'ann3']],
    [{ own: true, except: 'ann1' }, [], ['ann2', 'ann3']],
    [{ except: 'ann1' }, ['ann2', 'ann3', 'bea1', 'key1', 'key2', 'key3', 'other'], ['ann2', 'ann3']],
    [{ name: "' or true --" }, [], []],
  ])('a filter narrows what is seen, and never widens it: %j', async (filter, ofAdmin, ofAnn) => {
    expect(await ids({ ...filter, seenBy: ADMIN })).toEqual(ofAdmin);
    expect(await ids({ ...filter, seenBy: own(ANN) })).toEqual(ofAnn);
  });

  test('whose a session is', () => {
    const holders = Object.fromEntries(all.map((session) => [session.id, holderOfSession(session)]));
    expect(holders).toMatchObject({
      ann1: ANN,
      ann2: ANN,
      ann3: { session: 'ann3' },
      bea1: BEA,
      key1: { key: 'k1' },
      key2: { key: 'k2' },
      key3: { session: 'key3' },
    });
  });
});

test('a list: newest first, in pages', async () => {
  for (const id of ['a', 'b', 'c']) await begin(id);
  await put('a', "created_at = created_at - interval '1 hour'");
  await put('c', "created_at = (select created_at from session where id = 'b')");
  const filter = { seenBy: ADMIN };
  const all = await listSessions(db, { ...filter, limit: 9 });
  expect(all.map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  for (const [index, after] of all.entries())
    expect(await listSessions(db, { ...filter, limit: 1, after })).toEqual(all.slice(index + 1, index + 2));
});

describe('many are ended at once', () => {
  const end = (filter: SessionFilter, most = 9) =>
    endSessions(db, {
      ...filter,
      most,
      why: 'revoked',
      by: 'x',
      audit: (ended) => sessionEntry('session.revoke', ended),
    });
  const ended = async (filter: SessionFilter, most?: number) =>
    (await end(filter, most)).map(({ id }) => id).sort();
  const revoked = () => listAudit(db, { limit: 99, action: 'session.revoke' });
  let before = 0;
  beforeEach(async () => {
    before = (await revoked())[0]?.id ?? 0;
  });
  const audited = async () =>
    (await revoked()).filter(({ id }) => id > before).map(({ target }) => target.id);

  test('all of a person, also what was idle or begun by a link, and nobody else', async () => {
    for (const id of ['laptop', 'idle', 'old', 'over']) await begin(id, ANN);
    await begin('phone', { ...ANN, beganBy: 'link', parent: 'idle' });
    await begin('bea', BEA);
    await put('idle', "seen_at = clock_timestamp() - interval '2 hours'");
    await put('old', "expires_at = clock_timestamp() - interval '1 second'");
    await put('over', "ended_at = clock_timestamp(), ended_why = 'signed-out'");
    expect(await ended({ seenBy: ADMIN, subject: 'ann' })).toEqual(['idle', 'laptop', 'phone']);
    expect((await audited()).sort()).toEqual(['idle', 'laptop', 'phone']);
    const live = await Promise.all(['laptop', 'idle', 'phone', 'bea'].map((id) => getSession(db, id)));
    expect(live.map((each) => each?.live)).toEqual([false, false, false, true]);
    expect(
      await inside(db).rows("select ended_why as why, ended_by as by from session where id = 'laptop'"),
    ).toEqual([{ why: 'revoked', by: 'x' }]);
    expect(await ended({ seenBy: ADMIN, subject: 'ann' })).toEqual([]);
  });

  test('of somebody who is no admin only the own ones, whatever is asked for', async () => {
    await begin('ann', ANN);
    await begin('bea', BEA);
    expect(await ended({ seenBy: own(ANN), subject: 'bea' })).toEqual([]);
    expect(await ended({ seenBy: own(BEA), own: true, except: 'bea' })).toEqual([]);
    expect(await ended({ seenBy: own(ANN) })).toEqual(['ann']);
  });

  test('some at a time, the one that was used last first, until there are no others', async () => {
    for (const id of ['a', 'b', 'c']) await begin(id, ANN);
    await put('c', "seen_at = clock_timestamp() - interval '5 minutes'");
    await put('a', "seen_at = clock_timestamp() - interval '9 minutes'");
    const steps = [];
    for (let step = 0; step < 4; step++) steps.push(await ended({ seenBy: ADMIN }, 1));
    expect(steps).toEqual([['b'], ['c'], ['a'], []]);
  });

  test('by several at once each is ended by one, and has one row in the audit', async () => {
    for (let index = 0; index < 20; index++) await begin(`s${index}`, ANN);
    const all = await Promise.all(Array.from({ length: 6 }, () => ended({ seenBy: ADMIN }, 99)));
    expect(all.flat()).toHaveLength(20);
    expect(new Set(await audited()).size).toBe(20);
    expect(await audited()).toHaveLength(20);
  });

  test('where the audit cannot be written none has ended', async () => {
    await begin('a', ANN);
    const failing = endSessions(db, {
      seenBy: ADMIN,
      most: 9,
      why: 'revoked',
      by: 'x',
      audit() {
        throw new Error('no');
      },
    });
    await expect(failing).rejects.toThrow('no');
    expect((await getSession(db, 'a'))?.live).toBe(true);
  });
});
