import { type Database, inside } from '../database/database.ts';
import { at } from '../database/sql.ts';
import { type ApiKeyRecord, type ApiKeyRow, apiKeyRecord, KEY_SELECT } from './api-key-record.ts';
import { LOCK, MAX_RETIRED, NO_HASH, retireKeys } from './api-keys.ts';
import { type AuditOf, writeAudit } from './audit.ts';

/** What became of the key of the configuration. */
export interface Adopted {
  /**
   * `made`: it is new. `kept`: it is there. `replaced`: its id has another secret now. `revoked`: it was taken back, and stays so.
   * `taken`: its id is that of a key which was made otherwise; nothing is changed.
   */
  readonly outcome: 'made' | 'kept' | 'replaced' | 'revoked' | 'taken';
  /** Keys that came from the configuration before and hold no more. */
  readonly retired: readonly string[];
}

const INSERT = `insert into api_key as k (id, hash, role, name, configured, created_at)
  values ($1, $2, 'admin', 'first key', true, ${at('$3')}) returning ${KEY_SELECT}`;

const REPLACE = `update api_key k set hash = $2, role = 'admin', queues = null, payloads = true, expires_at = null, revoked_at = null,
    revoked_by = null, retired = case when k.hash = '${NO_HASH}' then k.retired
      else (array_prepend(k.hash, k.retired))[1:${MAX_RETIRED}] end
  where k.id = $1 returning ${KEY_SELECT}`;

/** Says of each change of a key what is to be kept. */
type AuditKeys = (id: string, action: 'key.create' | 'key.revoke') => AuditOf<ApiKeyRecord>;

/**
 * Takes over the key that stands in the configuration, as one that may do everything. Another one that stood there before holds no
 * more: so a key is changed by changing the configuration. What was taken back once never comes in again, so that a process that is
 * started with the old configuration does not bring the old key back.
 */
export async function adoptApiKey(
  db: Database,
  key: {
    readonly id: string;
    /** What is stored of its secret where it is new. */
    readonly hash: string;
    /** Whether a hash that is stored is of its secret: one that was made otherwise may have another form. */
    readonly isHash: (stored: string) => boolean;
    readonly now: number;
    readonly audit?: AuditKeys;
  },
): Promise<Adopted> {
  const { id, hash, isHash, now, audit } = key;
  return inside(db).transaction(async (sql): Promise<Adopted> => {
    await sql.run(LOCK);
    const row = await sql.row<ApiKeyRow>(`select ${KEY_SELECT} from api_key k where k.id = $1 for update`, [
      id,
    ]);
    const known = row && whatIsKnown(row, isHash);
    if (known) return { outcome: known, retired: [] };
    const gone = await retireKeys(sql, 'k.configured and k.id <> $2', ['configuration', id]);
    const written = await sql.row<ApiKeyRow>(row ? REPLACE : INSERT, row ? [id, hash] : [id, hash, now]);
    if (audit) {
      await writeAudit(sql, ...gone.map((each) => audit(each.id, 'key.revoke')(undefined, each)));
      const entry = audit(id, 'key.create')(row && apiKeyRecord(row), written && apiKeyRecord(written));
      await writeAudit(sql, entry);
    }
    return { outcome: row ? 'replaced' : 'made', retired: gone.map((each) => each.id) };
  });
}

/** Undefined: this secret is to take the place of the one that is there. */
function whatIsKnown(row: ApiKeyRow, isHash: (stored: string) => boolean): Adopted['outcome'] | undefined {
  if (row.retired.some(isHash)) return 'revoked';
  // It may stand there for the command line alone, with a role of its own: it gets no more than it has.
  if (isHash(row.hash)) return 'kept';
  return row.configured ? undefined : 'taken';
}
