import { Migration } from '@mikro-orm/migrations';

/** Who changed what; and requests with a key, with their answers. */
export class Audit extends Migration {
  override name = '0011-audit';

  override up(): void {
    for (const statement of [...audit, ...answers]) this.addSql(statement);
  }
}

const audit = [
  `create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    actor_kind text not null,
    actor_id text not null,
    actor_name text not null,
    actor_role text not null,
    address text,
    reason text,
    trace_id text,
    action text not null,
    target_kind text not null,
    target_id text not null,
    before jsonb,
    after jsonb
  )`,
  'create index audit_time on audit (at, id)',
  'create index audit_actor on audit (actor_id, at, id)',
  'create index audit_action on audit (action, at, id)',
  'create index audit_target on audit (target_id, at, id)',
  // Rows are only added, and taken away by retention, which says so. It holds for whoever owns the table too.
  `create function audit_is_kept() returns trigger language plpgsql as $$
  begin
    if tg_op = 'DELETE' and current_setting('jetbeat.retain_audit', true) = 'on' then
      return old;
    end if;
    raise exception 'the audit log is only added to: % is refused', lower(tg_op)
      using errcode = 'insufficient_privilege';
  end $$`,
  `create trigger audit_is_kept before update or delete on audit
    for each row execute function audit_is_kept()`,
  `create trigger audit_is_not_emptied before truncate on audit
    for each statement execute function audit_is_kept()`,
];

const answers = [
  // No status: it is being answered, until the lease is over.
  `create table answer (
    caller text not null,
    key text not null,
    asked text not null,
    at timestamptz not null,
    claim uuid not null,
    lease_until timestamptz not null,
    status smallint,
    headers jsonb,
    body text,
    primary key (caller, key)
  )`,
  'create index answer_time on answer (at)',
];
