import type { Forecast, Schedule } from '@jetbeat/core/http';
import { expect, test } from 'vitest';
import { openHistory } from '../bench/history.ts';
import { startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A page of schedules. */
interface Page {
  readonly items: readonly Schedule[];
  readonly nextCursor: string | null;
}

const SCHEDULES = 200;
const BYTES = 900_000;
/** Of the scheduler's heap, in MiB: less than the inputs are together. */
const HEAP = 160;

test(`${SCHEDULES} schedules with inputs of 900 kB fire at once, and are caught up, on a heap of ${HEAP} MiB`, async () => {
  const stack = await startStack();
  const history = openHistory(stack.postgres.url);
  try {
    await stack.start('recorder');
    // Due at once: half of them fire in time, half are caught up.
    await history.rows(
      `insert into schedule (name, definition, created_at, cursor_at, next_at)
       select 's' || n, jsonb_build_object('when', jsonb_build_object('every', 3600000), 'overlap', 'allow', 'catchUp', jsonb_build_object('all', 10),
         'job', jsonb_build_object('task', 'a', 'input', repeat('x', ${BYTES}))), at, at, at
       from (select n, date_trunc('milliseconds', clock_timestamp()) - interval '1 hour'
           - case when n % 2 = 0 then interval '1 minute' else interval '0' end as at
         from generate_series(1, ${SCHEDULES}) n) x`,
    );
    const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP}` };
    const scheduler = await stack.start('scheduler', { env, eager: true });
    const published = await waitUntil(
      'every job is published',
      async () => {
        if (!stack.apps.has(scheduler)) throw new Error('the scheduler has died');
        const [row] = await history.rows<{ found: string }>(
          'select count(*) as found from job where schedule_id is not null and published',
        );
        return Number(row?.found) >= SCHEDULES && Number(row?.found);
      },
      { timeoutMs: 120_000 },
    );
    expect(published).toBe(SCHEDULES);
    expect(stack.apps.has(scheduler)).toBe(true);
  } finally {
    await history.close();
    await stack.stop();
  }
}, 300_000);

test(`those ${SCHEDULES} schedules are listed and looked ahead at, by many at once, on a heap of ${HEAP} MiB`, async () => {
  const stack = await startStack();
  const history = openHistory(stack.postgres.url);
  try {
    const api = await stack.start('api', { env: { NODE_OPTIONS: `--max-old-space-size=${HEAP}` } });
    // The rules of each of the last ten are as large as the API takes them.
    await history.rows(
      `insert into schedule (name, definition, cursor_at, next_at)
       select 's' || n, jsonb_build_object('when', jsonb_build_object('every', 3600000),
           'job', jsonb_build_object('task', 'a', 'input', repeat('x', ${BYTES})))
         || case when n > ${SCHEDULES - 10} then jsonb_build_object('labels', jsonb_build_object('a', repeat('y', ${BYTES}))) else '{}' end,
         at, at + interval '1 hour'
       from (select n, date_trunc('milliseconds', clock_timestamp()) as at from generate_series(1, ${SCHEDULES}) n) x`,
    );
    // What each was before its last edits is not planned yet.
    await history.rows(
      `update schedule set definition = jsonb_set(definition, '{when,every}', '7200000') where name < 's2'`,
    );
    const asked = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const names: string[] = [];
        for (let cursor: string | null = ''; cursor !== null; ) {
          const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
          const { status, body } = await stack.http.call<Page>('GET', `/schedules?limit=200${query}`);
          if (status === 503) continue;
          expect(status).toBe(200);
          names.push(...body.items.map(({ name }) => name));
          cursor = body.nextCursor;
        }
        for (;;) {
          const { status, body } = await stack.http.call<Forecast>('GET', '/forecast');
          if (status === 503) continue;
          return { names: names.length, truncated: body.truncated, seen: body.items.length };
        }
      }),
    );
    for (const each of asked)
      expect(each).toEqual({ names: SCHEDULES, truncated: true, seen: expect.any(Number) });
    expect(stack.apps.has(api)).toBe(true);
  } finally {
    await history.close();
    await stack.stop();
  }
}, 300_000);
