import { openHistory } from '../bench/history.ts';
import { waitUntil } from './wait-until.ts';

/** Where a transaction is cut: as soon as it is about to write into this table, with all that it has locked and written before. */
type CutPoint = 'occurrence' | 'job' | 'schedule';

/** Cuts the connections of an application in the middle of its transactions. */
export interface Cutter {
  /**
   * Runs `act`, and cuts what it does on its connections as soon as it is about to write into a table.
   * @returns whether there was anything to cut
   */
  cut(applicationName: string, point: CutPoint, act: () => Promise<unknown>): Promise<boolean>;
  close(): Promise<void>;
}

const BLOCKED = `select pid from pg_stat_activity
  where application_name = ? and wait_event_type = 'Lock' and pg_blocking_pids(pid) <> '{}'`;

/** Connects, once to hold a table and once to look. */
export function createCutter(url: string): Cutter {
  const holder = openHistory(url);
  const watcher = openHistory(url);
  return {
    async cut(applicationName, point, act) {
      // Readers go on, and so do locks of rows; whoever writes waits.
      await holder.rows('begin');
      try {
        await holder.rows(`lock table ${point} in share mode`);
        let over = false;
        const end = () => {
          over = true;
        };
        const acting = act().then(end, end);
        const blocked = await waitUntil(
          'it writes, or has nothing to write',
          async () => {
            const found = await watcher.rows<{ pid: number }>(BLOCKED, [applicationName]);
            return found.length > 0 ? found : over && [];
          },
          { everyMs: 10 },
        );
        for (const { pid } of blocked) await watcher.rows('select pg_terminate_backend(?)', [pid]);
        await acting;
        return blocked.length > 0;
      } finally {
        await holder.rows('rollback');
      }
    },
    async close() {
      await holder.close();
      await watcher.close();
    },
  };
}
