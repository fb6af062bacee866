import { createHttp } from '../../support/http.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';

/** Schedules over HTTP, many in one request. */
export const scheduleCreate: Row = {
  name: 'schedule-create',
  what: '`POST /schedules/batch` with 500 schedules each, two at a time',
  measures: [{ name: 'rate', unit: 'schedules/s', better: 'more', goal: 5_000 }],
  run: (open) => open(creating),
};

const BATCH = 500;
const CONCURRENCY = 2;

async function creating(stage: Stage): Promise<Found> {
  const count = stage.quick ? 1_000 : 50_000;
  const warmUp = count / 10;
  await stage.start('api');
  const http = createHttp({ url: stage.apiUrl, apiKey: stage.apiKey });
  let next = 0;
  const create = async (upTo: number) => {
    const caller = async () => {
      while (next < upTo) {
        const begin = next;
        next = Math.min(upTo, next + BATCH);
        const schedules = Array.from({ length: next - begin }, (_, index) => schedule(begin + index));
        const answer = await http.call('POST', '/schedules/batch', { schedules });
        if (answer.status !== 201)
          throw new Error(`POST /schedules/batch answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, caller));
  };
  await create(warmUp);
  const clock = await stage.processes.startClock();
  await create(warmUp + count);
  const { seconds, processes } = await clock.stop();
  const [row] = await stage.history.rows<{ count: string }>('select count(*) from schedule');
  return {
    seconds,
    figures: { rate: count / seconds },
    counts: [{ what: 'count(*) of schedule', wanted: warmUp + count, found: Number(row?.count) }],
    processes,
  };
}

function schedule(number: number): object {
  return {
    name: `bench.${number}`,
    when: { cron: `${number % 60} ${number % 24} * * *` },
    timeZone: number % 2 === 0 ? 'Europe/Paris' : 'UTC',
    job: { task: 'bench.noop', input: { number } },
  };
}
