import type { Problem, Schedule } from '@jetbeat/core/http';
import { databaseTime, recordChanges } from '@jetbeat/postgres';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../support/access.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import type { Http } from '../support/http.ts';
import { waitUntil } from '../support/wait-until.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ yaml: 'routing: {"routed.*": default}' });
});
afterAll(() => api?.stop());

const when = { cron: '0 3 * * *' };
const call = (http: Http, request: string, body?: object, ifMatch?: string) => {
  const [method = '', path = ''] = request.split(' ');
  const headers = ifMatch === undefined ? {} : { 'If-Match': ifMatch };
  return http.call<Schedule & Problem>(method, path, body, headers);
};

describe('an operator without payloads', () => {
  const SECRET = 'canary-4711';
  const STALE = '"999999"';
  const webhook = { url: `https://example.org/${SECRET}` };
  const job = {
    task: 'pay.send',
    input: { ssn: SECRET, nested: { pin: 1234 } },
    meta: { who: SECRET },
    onFailure: [{ webhook }],
  };
  let blind: Http;
  beforeAll(async () => {
    blind = api.as((await makeKey(api, { role: 'operator', payloads: false })).key);
    const inputSchema = {
      type: 'object',
      required: ['to'],
      additionalProperties: false,
      properties: { to: {} },
    };
    await recordChanges(api.db, {
      changes: { jobs: [], attempts: [] },
      now: (await databaseTime(api.db)) + 600_000,
      workers: [
        {
          kind: 'worker',
          worker: 'w',
          state: 'running',
          host: 'h',
          pid: 1,
          version: '1',
          queues: ['default'],
          concurrency: 1,
          held: 0,
          startedAt: Date.now(),
          at: Date.now(),
          tasks: [{ name: 'strict.task', inputSchema }],
        },
      ],
    });
    // The API looks at the workers once a second.
    expect((await call(api.http, 'PUT /schedules/hidden', { when, job })).status).toBe(201);
  });
  const stored = async () => (await call(api.http, 'GET /schedules/hidden')).body;

  test('guesses nothing of what is stored: right or wrong, the answer is the same', async () => {
    const before = await stored();
    const told = async (body: object, ifMatch?: string, method = 'PATCH') => {
      const { status, body: answer } = await call(blind, `${method} /schedules/hidden`, body, ifMatch);
      return JSON.stringify([status, answer.code, answer.detail, answer.errors]);
    };
    for (const field of ['input', 'meta', 'onFailure'] as const) {
      const right = { job: { [field]: job[field] } };
      const wrong = { job: { [field]: Array.isArray(job[field]) ? [] : { wrong: 'x' } } };
      for (const ifMatch of [STALE, undefined]) {
        expect(await told(right, ifMatch), field).toBe(await told(wrong, ifMatch));
        expect(await told(right, ifMatch), field).toMatch(`[403,"payloads_hidden"`);
      }
    }
    expect(await told({ when, job }, STALE, 'PUT')).toBe(
      await told(
        { when, job: { ...job, onFailure: [{ webhook: { url: 'https://example.org/' } }] } },
        STALE,
        'PUT',
      ),
    );
    const { onFailure: _, ...plain } = job;
    expect((await call(api.http, 'PUT /schedules/silent', { when, job: plain })).status).toBe(201);
    const put = async (said: object) => {
      const { status, body } = await call(blind, 'PUT /schedules/silent', { when, job: said }, STALE);
      return [status, body.code, body.detail, body.errors];
    };
    expect((await put(plain)).slice(0, 2)).toEqual([409, 'stale']);
    expect(await put(plain)).toEqual(await put({ ...plain, input: { ssn: 'x', nested: {} } }));
    expect(await stored()).toEqual(before);
  });

  test('is not told what of a stored input does not fit another task', async () => {
    const other = { job: { task: 'strict.task', queue: null } };
    const { status, body } = await call(blind, 'PATCH /schedules/hidden', other);
    expect([status, body.code, body.errors]).toEqual([422, 'invalid_input', []]);
    expect(JSON.stringify(body)).not.toMatch(/ssn|nested/);
    const seeing = await call(api.http, 'PATCH /schedules/hidden', other);
    expect(JSON.stringify(seeing.body.errors)).toMatch(/ssn/);
    // What it says itself it is told of.
    const own = { when, job: { task: 'strict.task', input: { mine: 1 } } };
    expect(JSON.stringify((await call(blind, 'PUT /schedules/own', own)).body.errors)).toMatch(/mine/);
  });

  test('has nothing sent to itself: neither new callbacks nor others, and none taken away', async () => {
    const before = await stored();
    const mine = { onSuccess: [{ webhook: { url: 'https://mine.example.org/' } }] };
    const refused = { status: 403, code: 'payloads_hidden' };
    const written = { when, job: { task: 'pay.send', input: 1, ...mine } };
    for (const [request, body, pointer] of [
      ['PATCH /schedules/hidden', { job: mine }, '/job/onSuccess'],
      ['PATCH /schedules/hidden', { job: { onFailure: null } }, '/job/onFailure'],
      ['PUT /schedules/hidden', written, '/job/onSuccess'],
      ['PUT /schedules/hidden', { when, job: { task: 'pay.send', input: 1 } }, '/job/onFailure'],
      ['PUT /schedules/new', written, '/job/onSuccess'],
      ['POST /schedules', { name: 'new', ...written }, '/job/onSuccess'],
      ['POST /schedules/batch', { schedules: [{ name: 'new', ...written }] }, '/schedules/0/job/onSuccess'],
    ] as const)
      expect((await call(blind, request, body)).body, request).toMatchObject({
        ...refused,
        errors: [{ pointer }],
      });
    expect(await stored()).toEqual(before);
    expect((await call(api.http, 'GET /schedules/new')).status).toBe(404);
    // All else is its work.
    const changed = await call(blind, 'PATCH /schedules/hidden', {
      overlap: 'allow',
      job: { priority: 'high' },
    });
    expect([changed.status, JSON.stringify(changed.body).includes(SECRET)]).toEqual([200, false]);
    expect((await stored()).job).toMatchObject({ ...job, priority: 'high' });
    const plain = { when, job: { task: 'pay.send', input: 1 } };
    expect((await call(blind, 'PUT /schedules/plain', plain)).status).toBe(201);
    expect(
      (await call(blind, 'PUT /schedules/plain', { ...plain, job: { task: 'pay.send', input: 2 } })).status,
    ).toBe(200);
  });
});

describe('an operator of one queue', () => {
  let own: Http;
  beforeAll(async () => {
    own = api.as((await makeKey(api, { role: 'operator', queues: ['default'] })).key);
  });

  test('names the queue of a task that nobody has served yet: it may come to belong elsewhere', async () => {
    const refused = (pointer: string) => ({ status: 403, code: 'queue_not_allowed', errors: [{ pointer }] });
    const job = { task: 'billing.pay', input: 1 };
    const put = async (one: object) => (await call(own, 'PUT /schedules/open', { when, job: one })).body;
    expect(await put(job)).toMatchObject(refused('/job/queue'));
    const callback = { task: 'billing.pay' };
    expect(await put({ ...job, queue: 'default', onSuccess: callback })).toMatchObject(
      refused('/job/onSuccess/0/queue'),
    );
    const asked = { ...job, onSuccess: callback };
    expect((await call(own, 'POST /jobs', asked)).body).toMatchObject(refused('/onSuccess/0/queue'));
    expect(
      (await call(own, 'POST /jobs', { ...asked, onSuccess: { ...callback, queue: 'default' } })).status,
    ).toBe(202);
    // What the configuration says holds whoever serves it, and requests are sent from where jobs go that nothing is said of.
    for (const fine of [
      { ...job, queue: 'default' },
      { task: 'routed.pay', input: 1 },
    ]) {
      const webhook = { url: 'https://example.org/' };
      expect(await put({ ...fine, onFailure: { webhook } })).toMatchObject({ name: 'open' });
    }
  });

  test('neither pauses, resumes nor deletes what is moved elsewhere while it asks, and is shown nothing of it', async () => {
    const orm = await MikroORM.init({
      clientUrl: api.databaseUrl,
      entities: [],
      discovery: { warnWhenNoEntities: false },
    });
    const queue = 'default';
    for (const [request, ifMatch] of [
      ['POST /pause', undefined],
      ['POST /resume', undefined],
      ['DELETE ', undefined],
      ['DELETE ', '"1"'],
    ] as const) {
      const name = `moves.${crypto.randomUUID()}`;
      await call(api.http, `PUT /schedules/${name}`, { when, job: { task: 'x', queue, input: 'canary' } });
      const [method, way] = request.split(' ');
      const answer = await orm.em.fork().transactional(async (em) => {
        await em.execute(
          `update schedule set definition = jsonb_set(definition, '{job,queue}', '"theirs"') where name = '${name}'`,
        );
        const asked = call(
          own,
          `${method} /schedules/${name}${way}`,
          method === 'POST' ? {} : undefined,
          ifMatch,
        );
        await waitUntil('it waits for the lock', async () => {
          const waiting = await orm.em
            .fork()
            .execute(
              `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
            );
          return waiting.length > 0;
        });
        return { asked };
      });
      const { body } = await answer.asked;
      expect(body, request).toMatchObject({ status: 404, code: 'schedule_not_found' });
      expect(JSON.stringify(body)).not.toMatch(/canary|theirs/);
      expect((await call(api.http, `GET /schedules/${name}`)).body).toMatchObject({
        version: 2,
        paused: null,
      });
    }
    await orm.close();
  });
});
