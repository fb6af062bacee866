import { tmpdir } from 'node:os';
import { readSettings } from '@jetbeat/core';
import { dispatchPass, look, materializePass, type NewJob, openDatabase } from '@jetbeat/postgres';
import { createLog, loadConfig } from '@jetbeat/runtime';
import { createPass } from '@jetbeat/scheduler';
import type { Cutter } from './cut-connection.ts';

/** Where a scheduler is killed: while a transaction of its pass writes into a table, or after its commit and before it publishes. */
export const KILL_POINTS = ['occurrence', 'job', 'schedule', 'commit'] as const;
export type KillPoint = (typeof KILL_POINTS)[number];
export type DayReplica = ReturnType<typeof startDayReplica>;

/** One scheduler, as far as it plans and dispatches; it can be killed at any moment. */
export function startDayReplica(params: { url: string; id: string; clock: () => number }) {
  const { url, id, clock } = params;
  const config = loadConfig({ env: {}, app: 'scheduler', cwd: tmpdir() });
  const published: string[] = [];
  const opened = openDatabase({ url, applicationName: id, poolSize: 1 });
  const log = createLog({ app: 'scheduler', level: 'fatal' });
  let dying = false;
  /** What is committed is never published where it dies then. */
  const orDie = <Done extends { readonly fired?: object; readonly dispatched?: object }>(done: Done) => {
    const jobs = Object.keys(done.fired ?? done.dispatched ?? {}).length;
    if (dying && jobs > 0) throw new Error('killed after its commit');
    return done;
  };
  const made = opened.then((db) =>
    createPass({
      db,
      id,
      clock,
      log,
      hold: () => undefined,
      ports: {
        look: async (given) => ({ ...(await look(given)), now: clock() }),
        materializePass: async (...given) => orDie(await materializePass(...given)),
        dispatchPass: async (...given) => orDie(await dispatchPass(...given)),
      },
      eventsMarks: async () => ({ lastSeq: 0, recordedUpTo: 0 }),
      publisher: {
        add: (jobs: readonly NewJob[]) => void published.push(...jobs.map(({ envelope }) => envelope.id)),
        waitingBytes: 0,
      },
      cancel: () => {},
      settings: readSettings(config.settings, config.file),
    }),
  );
  return {
    id,
    published,
    pass: async () => (await made)(),
    /** Dies after the next commit that makes jobs; says whether there was one. */
    async passAndDie() {
      const pass = await made;
      dying = true;
      const lives = await pass().catch(() => undefined);
      return lives === undefined;
    },
    stop: async () => (await opened).close(),
  };
}

/** Has it pass alone, so that it has all there is to do, and kills it there. False: it did not come to that point. */
export function kill(victim: DayReplica, point: KillPoint, cutter: Cutter): Promise<boolean> {
  return point === 'commit' ? victim.passAndDie() : cutter.cut(victim.id, point, victim.pass);
}
