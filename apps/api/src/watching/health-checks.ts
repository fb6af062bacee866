import type { Publisher } from '@jetbeat/jetstream';
import type { Database } from '@jetbeat/postgres';
import type { Check } from '@jetbeat/runtime';

/** Whether the API gets on: PostgreSQL answers, committed jobs are published. */
export async function readiness(params: {
  db: Pick<Database, 'ping'>;
  isConnected: () => boolean;
  publisher: Pick<Publisher, 'moving' | 'waiting' | 'lastProgressAt'>;
  /** Why new jobs are refused now, if so. */
  refusal: string | undefined;
}): Promise<Check[]> {
  const { db, isConnected, publisher, refusal } = params;
  const database = await db.ping().then(
    (): Check => ({ name: 'database', ok: true }),
    (error: unknown): Check => ({
      name: 'database',
      ok: false,
      detail: error instanceof Error ? error.message : String(error),
    }),
  );
  // Jobs are accepted without NATS too, and published when it is back; so this alone makes nobody unready.
  const nats: Check = {
    name: 'nats',
    ok: true,
    ...(isConnected() ? {} : { detail: 'away: jobs are accepted and wait' }),
  };
  const published: Check = {
    name: 'publisher',
    ok: publisher.moving,
    detail: `${publisher.waiting} waiting`,
    lastProgressAt: publisher.lastProgressAt,
  };
  // Nor does this: everything else is served, and it passes by itself.
  const storage: Check = { name: 'storage', ok: true, ...(refusal === undefined ? {} : { detail: refusal }) };
  return [database, nats, published, storage];
}
