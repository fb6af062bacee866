import { openHistory } from '../bench/history.ts';
import { waitUntil } from './wait-until.ts';

/** Holds an app in the middle of what it writes into PostgreSQL. */
export interface TriggerGate {
  /**
   * Runs `act` until the app waits at the trigger, then `kill`, and ends what the app had begun in PostgreSQL: nothing of it holds.
   * @param trigger what follows `create trigger … before`, up to `execute`
   */
  killAt(trigger: string, act: () => Promise<unknown>, kill: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Connects, once to hold and once to look. */
export async function openTriggerGate(url: string, applicationName: string): Promise<TriggerGate> {
  const holder = openHistory(url);
  const watcher = openHistory(url);
  await watcher.rows(`create function wait_here() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock_shared(77); return new; end $$`);
  // Others may have databases of theirs on the same server.
  const waiting = `from pg_stat_activity where datname = current_database() and application_name = '${applicationName}'
    and wait_event = 'advisory'`;
  return {
    async killAt(trigger, act, kill) {
      await watcher.rows(`create trigger wait_here before ${trigger} execute function wait_here()`);
      await holder.rows('begin');
      await holder.rows('select pg_advisory_xact_lock(77)');
      const acting = act();
      await waitUntil('it waits there', async () => (await watcher.rows(`select 1 ${waiting}`)).length > 0);
      await kill();
      await watcher.rows(`select pg_terminate_backend(pid) ${waiting}`);
      await waitUntil(
        'nothing of it goes on',
        async () => (await watcher.rows(`select 1 ${waiting}`)).length === 0,
      );
      await holder.rows('rollback');
      await watcher.rows(`drop trigger wait_here on ${/ on (\w+)/.exec(trigger)?.[1]}`);
      await acting;
    },
    async close() {
      await holder.close();
      await watcher.close();
    },
  };
}
