import type { History } from './history.ts';

/** A day, milliseconds. */
const DAY_MS = 86_400_000;
/** Over how many days the jobs are spread. */
export const SEED_DAYS = 7;
const CHUNK = 50_000;

/** SQL for the id of a job made at `at` (Unix milliseconds), its random part by the number `n`. */
const ID = `(substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-7' || substr(noise, 1, 3) || '-8' || substr(noise, 4, 3) || '-' || substr(noise, 7, 12))::uuid`;

/**
 * Jobs as a week leaves them behind: 40 tasks and 8 queues, of which some have most; 3 % dead with an error, some cancelled, expired and open,
 * a note of one of 1,000 tenants on every third, an input with a user of 100,000.
 */
const SEED = `with numbers as (
    select n, floor(?::float8 + n * ?::float8)::bigint as at, md5(n::text) as noise from generate_series(?::int, ?::int) n),
  made as (
    select n, noise, lpad(to_hex(at), 12, '0') as hex, to_timestamp(at / 1000.0) as at,
      'bench.task' || floor(power(('x' || substr(noise, 20, 4))::bit(16)::int / 65536.0, 3) * 40)::int as task,
      'queue' || floor(power(('x' || substr(noise, 24, 4))::bit(16)::int / 65536.0, 2) * 8)::int as queue,
      case when n > ? - 2000 then (array['queued', 'running', 'scheduled', 'retrying'])[n % 4 + 1]
        when n % 100 < 94 then 'succeeded' when n % 100 < 97 then 'dead' when n % 100 < 99 then 'cancelled' else 'expired' end as state
    from numbers),
  jobs as (
    insert into job (id, task, queue, priority, state, "position", attempt, run, parks, created_at, run_at, due_at, check_at, started_at,
        finished_at, published, reason, error, result, input_known, input, meta, schedule_name, origin)
    select ${ID}, task, queue, 'normal', state, 4, 1, 1, 0, at, at, at, at, at,
      case when state in ('succeeded', 'dead', 'cancelled', 'expired') then at + interval '50 ms' end, true,
      case when state in ('dead', 'expired', 'cancelled') then jsonb_build_object('code', case state when 'dead' then 'attempts_used_up' else state end, 'text', 'it was tried often enough') end,
      case when state = 'dead' then jsonb_build_object('name', 'Error', 'message', (array['connection refused', 'request timeout', 'no such user'])[n % 3 + 1]) end,
      case when state = 'succeeded' then jsonb_build_object('sent', n % 7) end, true,
      jsonb_build_object('number', n, 'user', jsonb_build_object('id', n % 100000), 'text', 'a text such as a job may well carry with it'),
      case when n % 3 = 0 then jsonb_build_object('tenant', 't' || n % 1000, 'release', 'r' || n / 100000) end,
      case when n % 10 = 0 then 'bench.schedule' || n % 50 end, 'api'
    from made returning id, created_at, state)
  insert into attempt (job_id, run_id, number, run, worker_id, started_at, finished_at, outcome)
  select id, gen_random_uuid(), 1, 1, 'bench-worker', created_at, created_at + interval '50 ms',
    case state when 'succeeded' then 'succeeded' else 'failed' end from jobs where state <> 'queued' and state <> 'scheduled'`;

/** Fills history with `count` jobs of the last week, each with its attempt. */
export async function seedHistory(history: Pick<History, 'rows'>, count: number, now: number): Promise<void> {
  const from = now - SEED_DAYS * DAY_MS;
  const every = (SEED_DAYS * DAY_MS) / count;
  for (let first = 1; first <= count; first += CHUNK)
    await history.rows(SEED, [from, every, first, Math.min(count, first + CHUNK - 1), count]);
  await history.rows('vacuum analyze job');
  await history.rows('vacuum analyze attempt');
}
