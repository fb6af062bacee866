import { waitUntil } from '../../support/wait-until.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures } from '../statistics.ts';
import { untilDrained, untilRecorded } from '../steps.ts';
import { wholeWayApps } from './whole-way.ts';

/** Everybody looks at everything, and some do not read it. */
export const sse: Row = {
  name: 'sse',
  what: '`GET /events`: 500 clients, 20 of them do not read, at 100 jobs/s',
  measures: [
    { name: 'api: peak over start', unit: 'MiB', better: 'less', goal: 200 },
    { name: 'api: start', unit: 'MiB', better: 'less' },
    { name: 'api: with 500 clients', unit: 'MiB', better: 'less' },
    { name: 'api: waiting for slow clients', unit: 'MiB', better: 'less', goal: 64 },
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less', goal: 1_000 },
  ],
  run: (open) => open(following),
};

const RATE = 100;
const SECONDS = 60;
const MIB = 1024 ** 2;
const EVERY_MS = 1_000;
const ROUND = 1;

async function following(stage: Stage): Promise<Found> {
  const [fast, slow] = stage.quick ? [20, 2] : [480, 20];
  const count = RATE * (stage.quick ? 1 : SECONDS);
  const load = await wholeWayApps(stage);
  await stage.start('api');
  await load.call({ kind: 'many', count: 500 });
  await untilDrained(stage);
  await untilRecorded(stage);
  const resident = async () => ((await stage.processes.residentBytes()).get('api') ?? 0) / MIB;
  const start = await resident();
  const clients = await stage.load();
  const { url, apiKey } = { url: stage.apiUrl, apiKey: stage.apiKey };
  const told = clients.call({ kind: 'streams', url, apiKey, fast, slow, count });
  await waitUntil('all are connected', async () => (await reading(url, 'streams')) === fast + slow);
  const connected = await resident();
  const clock = await stage.processes.startClock();
  let peak = connected;
  let waiting = 0;
  const look = async () => {
    peak = Math.max(peak, await resident());
    waiting = Math.max(waiting, (await reading(url, 'stream_waiting_bytes')) / MIB);
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look).catch(() => {});
  }, EVERY_MS);
  await load.call({ kind: 'open-loop', rate: RATE, count, round: ROUND });
  const answer = await told;
  clearInterval(timer);
  await looking;
  const { seconds, processes } = await clock.stop();
  const { p50, p99 } = latencyFigures(answer.calls ?? []);
  const { least = 0, most = 0, gapsOfFast = -1, slowWithGap = -1 } = answer.told ?? {};
  return {
    seconds,
    figures: {
      'api: start': start,
      'api: with 500 clients': connected,
      'api: peak over start': peak - start,
      'api: waiting for slow clients': waiting,
      p50,
      p99,
    },
    counts: [
      { what: 'ends that the client heard of that heard of the fewest', wanted: count, found: least },
      { what: 'the same of the one that heard of the most', wanted: count, found: most },
      { what: 'gaps of clients that read', wanted: 0, found: gapsOfFast },
    ],
    processes,
    notes: { slowClientsWithGap: slowWithGap },
  };
}

async function reading(url: string, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^jetbeat_api_${name}(?:{.*?})? (\\d+)$`, 'm').exec(page)?.[1] ?? Number.NaN);
}
