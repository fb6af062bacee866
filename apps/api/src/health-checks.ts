import type { Bus } from '@jetbeat/jetstream';
import type { Database } from '@jetbeat/postgres';
import type { Check } from '@jetbeat/runtime';
import type { Publisher } from './publisher.ts';

/** Whether the API gets on: PostgreSQL answers, NATS is connected, committed jobs are published. */
export async function readiness(params: {
  db: Pick<Database, 'ping'>;
  bus: Pick<Bus, 'connected' | 'connectedAt'>;
  publisher: Pick<Publisher, 'check'>;
}): Promise<Check[]> {
  const { db, bus, publisher } = params;
  const database = await db.ping().then(
    (): Check => ({ name: 'database', ok: true }),
    (error: unknown): Check => ({
      name: 'database',
      ok: false,
      detail: error instanceof Error ? error.message : String(error),
    }),
  );
  const nats: Check = bus.connected
    ? { name: 'nats', ok: true }
    : { name: 'nats', ok: false, detail: 'not connected: jobs are accepted, and published when it is back' };
  return [database, nats, publisher.check()];
}
