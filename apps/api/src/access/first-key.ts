import type { AuditAction } from '@jetbeat/core';
import {
  type ApiKeyRecord,
  type AuditActor,
  type AuditEntry,
  adoptApiKey,
  type Database,
} from '@jetbeat/postgres';
import { ConfigError, type Log } from '@jetbeat/runtime';
import { hasHash, hashSecret, parseKey } from './api-key.ts';
import { apiKeyJson } from './api-key-json.ts';

/** Whoever writes the configuration of the API. */
const CONFIGURATION: AuditActor = {
  kind: 'system',
  id: 'configuration',
  name: 'JETBEAT_API_KEY',
  role: 'admin',
};

/**
 * Takes over the key of the configuration, if there is one: with it everything may be done, above all other keys be made. Another one that stood
 * there before holds no more.
 * @throws ConfigError where its id is that of another key
 */
export async function adoptFirstKey(
  db: Database,
  params: {
    readonly text: string | undefined;
    readonly now: number;
    readonly log: Pick<Log, 'info' | 'warn'>;
  },
): Promise<void> {
  const { text, now, log } = params;
  const key = text === undefined ? undefined : parseKey(text);
  if (!key) return;
  const { id, secret } = key;
  const audit =
    (target: string, action: AuditAction) =>
    (before?: ApiKeyRecord, after?: ApiKeyRecord): AuditEntry => ({
      note: { actor: CONFIGURATION },
      action,
      target: { kind: 'api-key', id: target },
      ...(before ? { before: apiKeyJson(before) } : {}),
      ...(after ? { after: apiKeyJson(after) } : {}),
    });
  const { outcome, retired } = await adoptApiKey(db, {
    id,
    hash: hashSecret(secret),
    now,
    audit,
    isHash: (stored) => hasHash(secret, stored),
  });
  if (outcome === 'taken')
    throw new ConfigError([
      `apiKey (JETBEAT_API_KEY): there is another key with the id ${id}, made through the API: take one with a new id, see docs/access.md`,
    ]);
  if (outcome === 'revoked')
    log.warn(
      { key: id },
      'the key of JETBEAT_API_KEY was revoked, or replaced by another one: it lets nobody in',
    );
  else if (outcome !== 'kept')
    log.info({ key: id, outcome, retired }, 'the key of JETBEAT_API_KEY was taken over');
  if (retired.length > 0)
    log.warn({ keys: retired }, 'keys that stood in the configuration before hold no more');
}
