import { formatDuration, type QueueLimits, type QueuePause, type QueueSettings } from '@jetbeat/core';
import { LockMode } from '@mikro-orm/core';
import { type AuditNote, type AuditOf, writeAudit, writeAuditBy } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { QueueEntity } from '../database/entities.ts';
import { TooManyQueuesError } from '../database/errors.ts';
import { cleanJson } from '../database/json.ts';
import type { QueuePurge } from './queue-purge.ts';
import { type QueueRecord, queueRecord, settingsOf } from './queue-record.ts';

/** What a change makes of a queue; what is absent stays, null is taken away. */
export interface QueueChange {
  readonly concurrency?: number | null;
  readonly rateLimit?: QueueLimits['rateLimit'] | null;
  readonly maxDepth?: number | null;
  readonly paused?: QueuePause | null;
  readonly purge?: QueuePurge | null;
}

/**
 * So many queues are made at run time: each has six consumers in JetStream, of some 60 KB of the server's memory. What the configuration names
 * is made in any case.
 */
export const MAX_QUEUES = 1_000;

/** The queue of this name; undefined when nobody has said anything of it. */
export async function getQueue(db: Database, name: string): Promise<QueueRecord | undefined> {
  const found = await inside(db).entities((em) => em.findOne(QueueEntity, { name }));
  return found ? queueRecord(found) : undefined;
}

/** All queues, in the order of their names. */
export async function listQueues(db: Database): Promise<QueueRecord[]> {
  const found = await inside(db).entities((em) => em.find(QueueEntity, {}, { orderBy: { name: 'asc' } }));
  return found.map(queueRecord);
}

/** The queues with a purge that is not over. */
export async function purgingQueues(db: Database): Promise<QueueRecord[]> {
  const found = await inside(db).entities((em) =>
    em.find(QueueEntity, { purge: { $ne: null } }, { orderBy: { name: 'asc' } }),
  );
  return found.map(queueRecord).filter(({ purge }) => purge !== undefined && purge.doneAt === undefined);
}

/** What every process is to be told, by queue. */
export async function allQueueSettings(db: Database): Promise<Map<string, QueueSettings>> {
  const queues = await listQueues(db);
  return new Map(queues.map((queue) => [queue.name, settingsOf(queue)]));
}

/**
 * Changes a queue, which is made where it is missing.
 * @param params.change what to change, of the queue as it is now; its version is 0 where there is none yet. Undefined: nothing, and the
 * version stays; where there was none there is none then. It may throw
 * @throws TooManyQueuesError where it would be made, and there are `MAX_QUEUES`
 */
export async function changeQueue(
  db: Database,
  params: {
    readonly name: string;
    readonly now: number;
    readonly change: (queue: QueueRecord) => QueueChange | undefined;
    readonly audit?: AuditOf<QueueRecord>;
  },
): Promise<QueueRecord> {
  const { name, now, change, audit } = params;
  return inside(db).entities((em) =>
    em.transactional(async (own) => {
      const at = new Date(now);
      const made = { name, version: 0, initial: {}, createdAt: at, updatedAt: at };
      await own.upsert(QueueEntity, made, { onConflictFields: ['name'], onConflictAction: 'ignore' });
      own.clear();
      const queue = await own.findOneOrFail(QueueEntity, { name }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      const before = queueRecord(queue);
      const changes = change(before);
      if (changes) {
        if (before.version === 0 && (await own.count(QueueEntity)) > MAX_QUEUES)
          throw new TooManyQueuesError(MAX_QUEUES);
        own.assign(queue, { ...cleanJson(changes), version: Number(queue.version) + 1, updatedAt: at });
        await own.flush();
        if (audit) await writeAuditBy(own, audit(before, queueRecord(queue)));
      } else if (before.version === 0) await own.nativeDelete(QueueEntity, { name });
      return queueRecord(queue);
    }),
  );
}

/**
 * Forgets what was said of a queue. Undefined when nothing was.
 * @param params.check called with the queue as it is, before anything is done; it may throw
 */
export async function deleteQueue(
  db: Database,
  params: {
    readonly name: string;
    readonly check: (queue: QueueRecord) => void;
    readonly audit: AuditOf<QueueRecord>;
  },
): Promise<QueueRecord | undefined> {
  const { name, check, audit } = params;
  return inside(db).entities((em) =>
    em.transactional(async (own) => {
      const found = await own.findOne(QueueEntity, { name }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!found) return undefined;
      const queue = queueRecord(found);
      check(queue);
      await own.nativeDelete(QueueEntity, { name });
      await writeAuditBy(own, audit(queue, undefined));
      return queue;
    }),
  );
}

/**
 * Notes what the configuration says of its queues; of queues that it names no more, that it says nothing.
 * @param params.queues every queue of the configuration
 */
export async function seedQueues(
  db: Database,
  params: { readonly queues: ReadonlyMap<string, QueueLimits>; readonly now: number },
): Promise<void> {
  const { queues, now } = params;
  const known = new Map((await listQueues(db)).map((queue) => [queue.name, queue]));
  for (const name of new Set([...queues.keys(), ...known.keys()])) {
    const initial = queues.get(name) ?? {};
    const found = known.get(name);
    if (found && isSame(found.initial, initial)) continue;
    await seedQueue(db, { name, initial, before: found?.initial, now });
  }
}

async function seedQueue(
  db: Database,
  params: { name: string; initial: QueueLimits; before: QueueLimits | undefined; now: number },
): Promise<void> {
  const { name, initial, before, now } = params;
  await inside(db).transaction(async (sql) => {
    const changed = await sql.run(SEED, [name, JSON.stringify(initial), new Date(now)]);
    const isEmpty = before === undefined && Object.keys(initial).length === 0;
    if (changed === 0 || isEmpty) return;
    const target = { kind: 'queue', id: name } as const;
    await writeAudit(sql, {
      note: CONFIGURATION,
      action: 'queue.configure',
      target,
      before: before && written(before),
      after: written(initial),
    });
  });
}

const SEED = `insert into queue (name, version, initial, created_at, updated_at) values ($1, 1, $2::jsonb, $3, $3)
  on conflict (name) do update set initial = excluded.initial, version = queue.version + 1, updated_at = excluded.updated_at
  where queue.initial <> excluded.initial`;

/** As it stands in the file. */
function written({ rateLimit, ...rest }: QueueLimits): object {
  if (!rateLimit) return rest;
  const { periodMs, ...counts } = rateLimit;
  return { ...rest, rateLimit: { ...counts, period: formatDuration(periodMs) } };
}

/** What stands in a file is changed by whoever may write it. */
const CONFIGURATION: AuditNote = {
  actor: { kind: 'system', id: 'configuration', name: 'configuration', role: 'admin' },
};

/** jsonb keeps its keys in another order. */
function isSame(one: QueueLimits, other: QueueLimits): boolean {
  const text = ({ concurrency, rateLimit, maxDepth }: QueueLimits) =>
    JSON.stringify([
      concurrency,
      rateLimit?.limit,
      rateLimit?.periodMs,
      rateLimit?.burst,
      rateLimit?.per,
      maxDepth,
    ]);
  return text(one) === text(other);
}
