import { Migration } from '@mikro-orm/migrations';

/** Who is signed in with a browser; and links that sign in once. */
export class Sessions extends Migration {
  override name = '0014-sessions';

  override up(): void {
    for (const statement of [...sessions, ...links]) this.addSql(statement);
  }
}

const sessions = [
  `create table session (
    id text primary key,
    token_hash text not null unique,
    began_by text not null check (began_by in ('key', 'oidc', 'link')),
    key_id text,
    key_hash text,
    parent_id text,
    issuer text,
    subject text,
    name text not null,
    role text not null,
    queues text[],
    payloads boolean not null,
    created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
    seen_at timestamptz not null default clock_timestamp(),
    idle_seconds integer not null,
    expires_at timestamptz not null,
    address text,
    user_agent text,
    ended_at timestamptz,
    ended_why text,
    ended_by text
  )`,
  'create index session_created on session (created_at, id)',
  'create index session_of_key on session (key_id, created_at)',
  'create index session_of_subject on session (issuer, subject, created_at)',
  'create index session_over on session (coalesce(ended_at, expires_at))',
];

const links = [
  `create table session_link (
    code_hash text primary key,
    key_id text,
    key_hash text,
    parent_id text,
    issuer text,
    subject text,
    name text not null,
    role text not null,
    queues text[],
    payloads boolean not null,
    session_until timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
  )`,
  'create index session_link_expires on session_link (expires_at)',
  // Of a session's links that is the session, of a key's the key: their ids are never alike.
  'create index session_link_of_one on session_link (coalesce(parent_id, key_id), created_at)',
];
