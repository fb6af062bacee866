import type { AuditAction, AuditTarget } from '@jetbeat/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type Database, inside } from '../database/database.ts';
import { AuditEntity } from '../database/entities.ts';
import { cleanJson, toJson } from '../database/json.ts';
import { at, ms, type Sql } from '../database/sql.ts';
import type { Total } from '../jobs/count-jobs.ts';
import { countNewest } from '../jobs/count-newest.ts';
import { binder } from '../jobs/walk-jobs.ts';
import { type AuditValues, auditValues } from './audit-values.ts';

/** Who acts: with a key, signed in, or Jetbeat itself. */
export interface AuditActor {
  readonly kind: 'key' | 'session' | 'system';
  /** Id of the key or of the session; never a secret. */
  readonly id: string;
  readonly name: string;
  readonly role: string;
}

/** Who makes a change, from where, and why. */
export interface AuditNote {
  readonly actor: AuditActor;
  /** Of the network. */
  readonly address?: string | undefined;
  readonly reason?: string | undefined;
  readonly traceId?: string | undefined;
}

/** One change. */
export interface AuditEntry extends AuditValues {
  readonly note: AuditNote;
  /** What was done, e.g. `queue.pause`. */
  readonly action: AuditAction;
  /** With what, e.g. `{ kind: 'queue', id: 'mail' }`. */
  readonly target: { readonly kind: AuditTarget; readonly id: string };
}

/** Says of a change what is to be kept; called in the transaction of the change, with what was and what is then. */
export type AuditOf<Thing> = (before: Thing | undefined, after: Thing | undefined) => AuditEntry;

/** A change that was kept. */
export interface AuditRecord {
  readonly id: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly actor: AuditActor;
  readonly address: string | null;
  readonly reason: string | null;
  readonly traceId: string | null;
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before: unknown;
  readonly after: unknown;
}

const INSERT = `insert into audit (actor_kind, actor_id, actor_name, actor_role, address, reason, trace_id, action, target_kind,
    target_id, before, after)
  select x."actorKind", x."actorId", x."actorName", x."actorRole", x.address, x.reason, x."traceId", x.action, x."targetKind",
    x."targetId", x.before, x.after
  from jsonb_to_recordset($1::jsonb) as x("actorKind" text, "actorId" text, "actorName" text, "actorRole" text, address text,
    reason text, "traceId" text, action text, "targetKind" text, "targetId" text, before jsonb, after jsonb)`;

/**
 * Writes changes down, in the transaction that makes them: so there is no change without its row, and no row without its change. Data of
 * callers and secrets are left out here, so that nobody has to think of it.
 */
export async function writeAudit(sql: Sql, ...entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length > 0) await sql.run(INSERT, [toJson(entries.map(auditRow))]);
}

/** Writes down a change of what PostgreSQL does not hold: before it is made, since there is no transaction over both. */
export async function noteAudit(db: Database, entry: AuditEntry): Promise<void> {
  await writeAudit(inside(db), entry);
}

/** `writeAudit` in a transaction of an entity manager. */
export async function writeAuditBy(em: EntityManager, entry: AuditEntry): Promise<void> {
  await em.insert(AuditEntity, cleanJson(auditRow(entry)));
}

function auditRow(entry: AuditEntry) {
  const { note, action, target } = entry;
  const { actor, address = null, reason = null, traceId = null } = note;
  const { before = null, after = null } = auditValues(entry);
  return {
    actorKind: actor.kind,
    actorId: actor.id,
    actorName: actor.name,
    actorRole: actor.role,
    address,
    reason,
    traceId,
    action,
    targetKind: target.kind,
    targetId: target.id,
    before,
    after,
  };
}

/** Which changes. */
export interface AuditFilter {
  /** Id of the key or session. */
  readonly actor?: string;
  readonly action?: string;
  /** What it was done with: its id, with its kind before it (`queue:mail`) or without. */
  readonly target?: { readonly kind?: string; readonly id: string };
  /** Unix milliseconds: at this time or later. */
  readonly from?: number;
  /** Unix milliseconds: before this time. */
  readonly to?: number;
}

interface Row {
  readonly id: number;
  readonly at: number;
  readonly actorKind: AuditActor['kind'];
  readonly actorId: string;
  readonly actorName: string;
  readonly actorRole: string;
  readonly address: string | null;
  readonly reason: string | null;
  readonly traceId: string | null;
  readonly action: string;
  readonly targetKind: string;
  readonly targetId: string;
  readonly before: unknown;
  readonly after: unknown;
}

const SELECT = `a.id::float8 as id, ${ms('a.at')} as at, a.actor_kind as "actorKind", a.actor_id as "actorId", a.actor_name as "actorName",
  a.actor_role as "actorRole", a.address, a.reason, a.trace_id as "traceId", a.action, a.target_kind as "targetKind",
  a.target_id as "targetId", a.before, a.after`;

/** Changes that fit, newest first. @param params.after the last one of the page before */
export async function listAudit(
  db: Database,
  params: AuditFilter & {
    readonly limit: number;
    readonly after?: { readonly at: number; readonly id: number };
  },
): Promise<AuditRecord[]> {
  const { after, limit } = params;
  const { values, bind } = binder([limit]);
  const { walk, fits } = conditionsOf(params, bind);
  const filters = [
    ...[...walk, ...fits],
    ...(after === undefined ? [] : [`(a.at, a.id) < (${at(bind(after.at))}, ${bind(after.id)}::bigint)`]),
  ];
  const where = filters.length === 0 ? '' : `where ${filters.join(' and ')}`;
  const text = `select ${SELECT} from audit a ${where} order by ${NEWEST} limit $1`;
  return (await inside(db).rows<Row>(text, values)).map(record);
}

/** How many changes fit, as far as that is cheap to tell. */
export function countAudit(db: Database, filter: AuditFilter): Promise<Total> {
  const { values, bind } = binder();
  return countNewest(db, { from: 'audit a', ...conditionsOf(filter, bind), order: NEWEST, values });
}

const NEWEST = 'a.at desc, a.id desc';

/** One of them leads an index together with the time, the one of which there are likely to be the fewest. */
function conditionsOf({ actor, action, target, from, to }: AuditFilter, bind: (value: unknown) => string) {
  const [lead, ...others] = [
    ...(target === undefined ? [] : [`a.target_id = ${bind(target.id)}`]),
    ...(actor === undefined ? [] : [`a.actor_id = ${bind(actor)}`]),
    ...(action === undefined ? [] : [`a.action = ${bind(action)}`]),
  ];
  return {
    walk: [
      ...(lead === undefined ? [] : [lead]),
      ...(from === undefined ? [] : [`a.at >= ${at(bind(from))}`]),
      ...(to === undefined ? [] : [`a.at < ${at(bind(to))}`]),
    ],
    fits: [...others, ...(target?.kind === undefined ? [] : [`a.target_kind = ${bind(target.kind)}`])],
  };
}

function record(row: Row): AuditRecord {
  const { actorKind, actorId, actorName, actorRole, targetKind, targetId, ...rest } = row;
  const actor = { kind: actorKind, id: actorId, name: actorName, role: actorRole };
  return { ...rest, actor, target: { kind: targetKind, id: targetId } };
}

const RETAIN = `with said as (select set_config('jetbeat.retain_audit', 'on', true))
  delete from audit where id in (select a.id from audit a, said where a.at < ${at('$1')} order by a.at limit $2)`;

/**
 * Takes away what is older than `before` (Unix milliseconds), `limit` rows at most.
 * @returns how many rows went
 */
export async function retainAudit(db: Database, params: { before: number; limit: number }): Promise<number> {
  return inside(db).run(RETAIN, [params.before, params.limit]);
}
