import { waitUntil } from '../../support/wait-until.ts';
import type { App } from '../app.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';

/** Very many schedules, of which none has anything to do. */
export const scheduleIdle: Row = {
  name: 'schedule-idle',
  what: 'a pass of a scheduler with 1,000,000 schedules stored and none due, the mean over 20 s',
  measures: [{ name: 'mean', unit: 'ms', better: 'less', goal: 5 }],
  run: (open) => open(idling),
};

async function idling(stage: Stage): Promise<Found> {
  const count = stage.quick ? 5_000 : 1_000_000;
  const seconds = stage.quick ? 2 : 20;
  const scheduler = await stage.start('scheduler');
  await stage.history.rows(
    `insert into schedule (name, definition, next_at)
     select 'bench.' || n, '{"when": {"cron": "0 3 * * *"}, "job": {"task": "bench.noop", "input": {}}}',
       clock_timestamp() + interval '1 day' + n * interval '1 ms'
     from generate_series(1, ${count}) n`,
  );
  await stage.history.rows('vacuum analyze schedule');
  const clock = await stage.processes.startClock();
  const before = await passes(scheduler);
  const until = Date.now() + seconds * 1_000;
  await waitUntil('the time is over', () => Date.now() >= until, { timeoutMs: seconds * 1_000 + 1_000 });
  const after = await passes(scheduler);
  const ran = await clock.stop();
  const [row] = await stage.history.rows<{ count: string }>('select count(*) from schedule');
  return {
    seconds: ran.seconds,
    figures: { mean: (1_000 * (after.sum - before.sum)) / (after.count - before.count) },
    counts: [{ what: 'count(*) of schedule', wanted: count, found: Number(row?.count) }],
    processes: ran.processes,
    notes: { passes: after.count - before.count },
  };
}

/** How many passes there were, and how many seconds they took together. */
async function passes({ url }: App): Promise<{ count: number; sum: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const figure = (name: string) =>
    Number(new RegExp(`^jetbeat_scheduler_pass_seconds_${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1]);
  return { count: figure('count'), sum: figure('sum') };
}
