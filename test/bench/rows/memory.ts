import { waitUntil } from '../../support/wait-until.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { untilBacklogBelow, untilDrained, untilRecorded } from '../steps.ts';
import { goTheWholeWay, wholeWayApps, wholeWayCounts } from './whole-way.ts';

/** Resident memory at one moment. */
interface Sample {
  /** Seconds since the first enqueue. */
  readonly at: number;
  /** MiB. */
  readonly worker: number;
  readonly nats: number;
}

/** A million jobs through one worker: what is kept, and for how long. */
export const memory: Row = {
  name: 'memory',
  what: '1,000,000 jobs through one worker, the whole way, the producer keeping pace: resident memory',
  measures: [
    { name: 'worker: peak over start', unit: 'MiB', better: 'less', goal: 100 },
    { name: 'worker: start', unit: 'MiB', better: 'less' },
    { name: 'worker: peak', unit: 'MiB', better: 'less' },
    { name: 'worker: end', unit: 'MiB', better: 'less' },
    { name: 'nats-server: duplicate window full', unit: 'MiB', better: 'less', goal: 400 },
    { name: 'nats-server: after it', unit: 'MiB', better: 'less', goal: 100 },
  ],
  run: (open) => open(million),
};

const EVERY_MS = 1_000;
/**
 * The server remembers an id for two minutes. An idle Go process collects every two minutes, and gives back what a dense part
 * of its heap held only when a second collection has found that part free: four minutes after the window at most.
 */
const AFTERWARDS_MS = 370_000;
/** The producer keeps pace with the worker: what is measured is what jobs leave behind, not what a pile of them takes. */
const PORTION = 10_000;
const BACKLOG = 20_000;
const MIB = 1024 ** 2;

async function million(stage: Stage): Promise<Found> {
  const count = stage.quick ? 2_000 : 1_000_000;
  const warmUp = stage.quick ? 400 : 50_000;
  const load = await wholeWayApps(stage);
  await goTheWholeWay(stage, load, warmUp);
  const clock = await stage.processes.startClock();
  const sampling = sampleMemory(stage);
  for (let sent = 0; sent < count; sent += PORTION) {
    await load.call({ kind: 'many', count: Math.min(PORTION, count - sent) });
    await untilBacklogBelow(stage, BACKLOG);
  }
  await untilDrained(stage);
  await untilRecorded(stage);
  const busy = (await sampling.look()).at;
  const { seconds, processes } = await clock.stop();
  const end = Date.now() + (stage.quick ? 1_000 : AFTERWARDS_MS);
  await waitUntil('the duplicate window has passed', () => Date.now() > end, {
    timeoutMs: AFTERWARDS_MS + 10_000,
    everyMs: 250,
  });
  const last = await sampling.look();
  const samples = sampling.stop();
  const first = samples[0] ?? last;
  const peakWorker = Math.max(...samples.map(({ worker }) => worker));
  return {
    seconds,
    figures: {
      'worker: peak over start': peakWorker - first.worker,
      'worker: start': first.worker,
      'worker: peak': peakWorker,
      'worker: end': last.worker,
      'nats-server: duplicate window full': Math.max(...samples.map(({ nats }) => nats)),
      'nats-server: after it': last.nats,
    },
    counts: await wholeWayCounts(stage, warmUp + count),
    processes,
    notes: { busySeconds: busy, samples },
  };
}

/** Looks at once, and every second from then on. */
function sampleMemory(stage: Stage) {
  const samples: Sample[] = [];
  const begun = performance.now();
  const look = async (): Promise<Sample> => {
    const resident = await stage.processes.residentBytes();
    const of = (name: string) => Math.round((resident.get(name) ?? 0) / MIB);
    const at = Math.round((performance.now() - begun) / 100) / 10;
    const sample = { at, worker: of('worker'), nats: of('nats-server') };
    samples.push(sample);
    return sample;
  };
  let looking: Promise<unknown> = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, EVERY_MS);
  return {
    look,
    stop: () => {
      clearInterval(timer);
      return samples;
    },
  };
}
