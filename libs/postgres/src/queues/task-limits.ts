import type { Concurrency, TaskLimits, TaskRate, TaskSettings } from '@jetbeat/core';
import { LockMode } from '@mikro-orm/core';
import { type AuditOf, writeAuditBy } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { TaskLimitEntity } from '../database/entities.ts';
import { cleanJson, known } from '../database/json.ts';

/** What was said at run time of one task. */
export interface TaskLimitsRecord {
  readonly name: string;
  readonly version: number;
  /** What is absent holds as configured, or as the task says. */
  readonly own: TaskLimits;
}

/** What a change makes of them; what is absent stays, null is taken away. */
export interface TaskLimitsChange {
  readonly rate?: TaskRate | null;
  readonly concurrency?: Concurrency | null;
}

/** All tasks of which something was said at run time, by name. */
export async function listTaskLimits(db: Database): Promise<ReadonlyMap<string, TaskLimitsRecord>> {
  const found = await inside(db).entities((em) => em.find(TaskLimitEntity, {}, { orderBy: { name: 'asc' } }));
  return new Map(found.map((row) => [row.name, toRecord(row)]));
}

/** What was said at run time of this task; undefined: nothing. */
export async function getTaskLimits(db: Database, name: string): Promise<TaskLimitsRecord | undefined> {
  const found = await inside(db).entities((em) => em.findOne(TaskLimitEntity, { name }));
  return found ? toRecord(found) : undefined;
}

/** What every process is told, by task. */
export async function allTaskSettings(db: Database): Promise<Map<string, TaskSettings>> {
  const all = [...(await listTaskLimits(db)).values()];
  return new Map(all.map((one) => [one.name, taskSettingsOf(one)]));
}

/** What every process is told of one task. */
export function taskSettingsOf({ version, own }: TaskLimitsRecord): TaskSettings {
  return { version, ...own };
}

/**
 * Changes the limits of a task.
 * @param params.change what to change, of the limits as they are now; nothing: the version stays. It may throw
 */
export async function changeTaskLimits(
  db: Database,
  params: {
    readonly name: string;
    readonly now: number;
    readonly change: (limits: TaskLimitsRecord) => TaskLimitsChange;
    readonly audit?: AuditOf<TaskLimitsRecord>;
  },
): Promise<TaskLimitsRecord> {
  const { name, now, change, audit } = params;
  return inside(db).entities((em) =>
    em.transactional(async (own) => {
      const at = new Date(now);
      const made = { name, version: 0, updatedAt: at };
      await own.upsert(TaskLimitEntity, made, { onConflictFields: ['name'], onConflictAction: 'ignore' });
      own.clear();
      const row = await own.findOneOrFail(
        TaskLimitEntity,
        { name },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      );
      const before = toRecord(row);
      const { rate, concurrency } = change(before);
      if (rate === undefined && concurrency === undefined) return before;
      own.assign(row, {
        ...cleanJson({
          ...(rate === undefined ? {} : { rateLimit: rate }),
          ...(concurrency === undefined ? {} : { concurrency }),
        }),
        version: Number(row.version) + 1,
        updatedAt: at,
      });
      await own.flush();
      if (audit) await writeAuditBy(own, audit(before, toRecord(row)));
      return toRecord(row);
    }),
  );
}

function toRecord(row: {
  name: string;
  version: number;
  rateLimit?: TaskRate | null | undefined;
  concurrency?: Concurrency | null | undefined;
}): TaskLimitsRecord {
  const { name, version, rateLimit, concurrency } = row;
  return { name, version: Number(version), own: known({ rate: rateLimit, concurrency }) };
}
