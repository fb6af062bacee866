import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { connect } from '@jetbeat/client';
import { type Bus, connectBus, type EventsState, eventsState, jobsStreamState } from '@jetbeat/jetstream';
import { MikroORM } from '@mikro-orm/postgresql';
import type { AppProcess } from './app-process.ts';
import { startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';
import { waitUntil } from './wait-until.ts';

/** How many MiB a process had before PostgreSQL went, and at most while it was away and history caught up. */
interface Memory {
  readonly before: number;
  readonly most: number;
}

/** What an outage of PostgreSQL came to. */
export interface Outage {
  readonly enqueued: number;
  /** Jobs that waited in JOBS when PostgreSQL came back. */
  readonly waiting: number;
  /** EVENTS at that moment. */
  readonly events: EventsState;
  readonly catchUpSeconds: number;
  readonly worker: Memory;
  readonly recorder: Memory;
  /** Jobs in history, by state. */
  readonly states: Readonly<Record<string, number>>;
  /** Paths that the outside world did not see exactly once. */
  readonly wrong: readonly string[];
}

const WARM_UP_MS = 3_000;
const EVERY_MS = 10;
/** Of so many jobs one tells the ledger. */
const LEDGER_EVERY = 50;

/** Stops PostgreSQL for some time while jobs are enqueued at a steady rate, by one client and for one worker. */
export async function postgresAway(params: { awayMs: number; perSecond: number }): Promise<Outage> {
  const { awayMs, perSecond } = params;
  const ledger = await startLedger();
  const stack = await startStack({ ackWait: '30s' });
  const client = await connect({ servers: stack.nats.url });
  const bus = await connectBus({ servers: stack.nats.url, name: 'test' });
  try {
    const recorder = await stack.start('recorder');
    const env = { JETBEAT_TASKS: join(import.meta.dirname, '../faults/tasks.ts'), JETBEAT_CONCURRENCY: '50' };
    const worker = await stack.start('worker', { env });
    const load = startLoad({ client, perSecond, url: ledger.url });
    await over(WARM_UP_MS);
    const memory = await watchMemory({ worker, recorder });

    stack.postgres.kill();
    await stack.postgres.exited;
    await over(awayMs);
    const { messages: waiting } = await jobsStreamState(bus);
    const events = await eventsState(bus);
    const from = performance.now();
    await stack.killPostgres();
    await load.stop();
    await allDone(bus, 60_000 + awayMs);
    const catchUpSeconds = (performance.now() - from) / 1_000;
    return {
      enqueued: load.enqueued(),
      waiting,
      events,
      catchUpSeconds,
      ...(await memory.stop()),
      states: await statesIn(stack),
      wrong: load.paths().filter((path) => ledger.effects.get(path)?.arrivals.length !== 1),
    };
  } finally {
    await client.close();
    await bus.close();
    await stack.stop();
    await ledger.stop();
  }
}

/** Nothing waits in JOBS (a doubt that was parked is answered once history has caught up), and everything is recorded. */
async function allDone(bus: Bus, timeoutMs: number): Promise<void> {
  const left = async () => {
    const { messages } = await jobsStreamState(bus);
    const { lastSeq, recordedUpTo } = await eventsState(bus);
    return { jobs: messages, batches: lastSeq - recordedUpTo };
  };
  const isDone = async () => {
    const { jobs, batches } = await left();
    return jobs === 0 && batches <= 0;
  };
  await waitUntil('every job is done and recorded', isDone, { timeoutMs, everyMs: 250 }).catch(
    async (error: Error) => {
      throw new Error(`${error.message}; left: ${JSON.stringify(await left())}`);
    },
  );
}

/** Enqueues at a steady rate, whatever becomes of the jobs before. */
function startLoad(params: { client: Awaited<ReturnType<typeof connect>>; perSecond: number; url: string }) {
  const { client, perSecond, url } = params;
  const ended = new AbortController();
  const paths: string[] = [];
  const open = new Set<Promise<unknown>>();
  const from = performance.now();
  let enqueued = 0;
  let failed: unknown;
  const one = () => {
    const index = enqueued++;
    const path = `/job/${index}`;
    const tells = index % LEDGER_EVERY === 0;
    if (tells) paths.push(path);
    const job = tells
      ? client.enqueue('test.wait', { ms: 1, url: url + path })
      : client.enqueue('system.echo', { index });
    const done = job
      .catch((error: unknown) => {
        failed ??= error;
      })
      .finally(() => open.delete(done));
    open.add(done);
  };
  const run = async () => {
    for await (const _ of setInterval(EVERY_MS, undefined, { signal: ended.signal })) {
      const due = Math.floor(((performance.now() - from) * perSecond) / 1_000);
      while (enqueued < due) one();
    }
  };
  const running = run().catch((error: unknown) => {
    if (!ended.signal.aborted) throw error;
  });
  return {
    enqueued: () => enqueued,
    paths: () => paths,
    async stop() {
      ended.abort();
      await running;
      await Promise.all(open);
      if (failed) throw failed;
    },
  };
}

/** Looks at the memory of processes once a second. */
async function watchMemory(apps: { worker: AppProcess; recorder: AppProcess }) {
  const ended = new AbortController();
  const start = async (app: AppProcess) => {
    const before = await residentMiB(app.pid);
    let most = before;
    const run = async () => {
      for await (const _ of setInterval(1_000, undefined, { signal: ended.signal }))
        most = Math.max(most, await residentMiB(app.pid));
    };
    const running = run().catch(() => undefined);
    return async (): Promise<Memory> => {
      await running;
      return { before, most };
    };
  };
  const [worker, recorder] = await Promise.all([start(apps.worker), start(apps.recorder)]);
  return {
    async stop() {
      ended.abort();
      return { worker: await worker(), recorder: await recorder() };
    },
  };
}

/** What the process holds in memory (`VmRSS` of proc(5)), in MiB. */
async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1_024);
}

async function statesIn({ postgres }: Stack): Promise<Record<string, number>> {
  const orm = new MikroORM({
    clientUrl: postgres.url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    driverOptions: { max: 1 },
  });
  try {
    const rows: { state: string; jobs: number }[] = await orm.driver
      .getConnection()
      .execute('select state, count(*)::float8 as jobs from job group by state');
    return Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs]));
  } finally {
    await orm.close(true);
  }
}

/** The time itself is what is waited for. */
async function over(ms: number): Promise<void> {
  const from = Date.now();
  await waitUntil('the time is over', () => Date.now() - from > ms, { timeoutMs: ms + 5_000 });
}
