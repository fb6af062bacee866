import { type Database, inside } from '../database/database.ts';
import { toJson } from '../database/json.ts';
import { at, ms } from '../database/sql.ts';

/** How long the answer to a request with a key is kept, milliseconds. */
export const ANSWER_KEPT_MS = 86_400_000;

/** A request that may be repeated. */
export interface AskedOnce {
  /** Who asks: the same key of somebody else is another one. */
  readonly caller: string;
  readonly key: string;
  /** What is asked for, as a hash. */
  readonly asked: string;
}

/** The answer that it was given. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is to be done about a request. Times in Unix milliseconds, by PostgreSQL's clock. */
export type Claimed =
  /** Answer it; `at`: when it came first; `again`: it may have been carried out before, wholly or in part. */
  | { readonly is: 'mine'; readonly at: number; readonly again: boolean }
  /** Somebody answers it now, as `claim`, and gives up in `forMs` at the latest. */
  | { readonly is: 'busy'; readonly claim: string; readonly forMs: number }
  /** The key came with another request. */
  | { readonly is: 'other' }
  | { readonly is: 'answered'; readonly answer: KeptAnswer };

// The claim is in the log of PostgreSQL before whatever its request writes, so it need not be on disk before that: if it is lost, so is
// all that came of it.
const CLAIM = `with said as (
    select set_config('synchronous_commit', 'off', true), date_trunc('milliseconds', clock_timestamp()) as now)
  insert into answer as a (caller, key, asked, at, claim, lease_until)
  select $1, $2, $3, said.now, $4::uuid, said.now + $5::float8 * interval '1 millisecond' from said
  on conflict (caller, key) do update
    set asked = excluded.asked, claim = excluded.claim, lease_until = excluded.lease_until, status = null, headers = null, body = null,
      at = case when a.at < excluded.at - $6::float8 * interval '1 millisecond' then excluded.at else a.at end
    where a.at < excluded.at - $6::float8 * interval '1 millisecond'
      or (a.status is null and a.asked = excluded.asked and (a.lease_until <= excluded.at or a.claim = $7::uuid))
  returning ${ms('a.at')} as at, a.at + $5::float8 * interval '1 millisecond' < a.lease_until as again`;

const LOOK = `select asked, claim::text as claim, status, headers, body, ${ms('lease_until - clock_timestamp()')} as "forMs"
  from answer where caller = $1 and key = $2`;

interface Row {
  readonly asked: string;
  readonly claim: string;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: string | null;
  readonly forMs: number;
}

/** Somebody else's row may go between claiming and looking. */
const TRIES = 5;

/**
 * Asks for a request to be answered by the caller of this alone: of any number that ask at the same time one gets it.
 * @param params.claim a UUID of this try
 * @param params.leaseMs so long nobody else gets it
 * @param params.over a claim that is known to be given up
 */
export async function claimAnswer(
  db: Database,
  params: AskedOnce & { readonly claim: string; readonly leaseMs: number; readonly over?: string },
): Promise<Claimed> {
  const { caller, key, asked, claim, leaseMs, over = null } = params;
  const sql = inside(db);
  for (let tries = 1; ; tries++) {
    const values = [caller, key, asked, claim, leaseMs, ANSWER_KEPT_MS, over];
    const mine = await sql.row<{ at: number; again: boolean }>(CLAIM, values);
    if (mine) return { is: 'mine', ...mine };
    const row = await sql.row<Row>(LOOK, [caller, key]);
    if (!row) {
      if (tries < TRIES) continue;
      return { is: 'busy', claim, forMs: 0 };
    }
    if (row.asked !== asked) return { is: 'other' };
    const { status, headers, body } = row;
    if (status === null) return { is: 'busy', claim: row.claim, forMs: Math.max(0, row.forMs) };
    return { is: 'answered', answer: { status, headers: headers ?? {}, body: body ?? '' } };
  }
}

/** Keeps an answer, unless somebody else has taken the request over. */
export async function keepAnswer(
  db: Database,
  params: Pick<AskedOnce, 'caller' | 'key'> & { readonly claim: string; readonly answer: KeptAnswer },
): Promise<void> {
  const { caller, key, claim, answer } = params;
  const { status, headers, body } = answer;
  await inside(db).run(
    `update answer set status = $4, headers = $5::jsonb, body = $6 where caller = $1 and key = $2 and claim = $3::uuid and status is null`,
    [caller, key, claim, status, toJson(headers), body],
  );
}

/** Lets the next repeat be carried out: there is no answer that is to be kept. When it came first stays known. */
export async function dropAnswer(
  db: Database,
  params: Pick<AskedOnce, 'caller' | 'key'> & { readonly claim: string },
): Promise<void> {
  const { caller, key, claim } = params;
  await inside(db).run(
    `update answer set lease_until = at where caller = $1 and key = $2 and claim = $3::uuid and status is null`,
    [caller, key, claim],
  );
}

/**
 * Forgets requests that came before `before` (Unix milliseconds), `limit` at most. Several may do it at once.
 * @returns how many rows went
 */
export async function forgetAnswers(
  db: Database,
  params: { before: number; limit: number },
): Promise<number> {
  return inside(db).run(
    `with old as (select caller, key from answer where at < ${at('$1')} order by at limit $2 for update skip locked)
     delete from answer a using old where a.caller = old.caller and a.key = old.key`,
    [params.before, params.limit],
  );
}
