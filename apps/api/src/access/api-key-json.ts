import type { ApiKey } from '@jetbeat/core/http';
import type { ApiKeyRecord } from '@jetbeat/postgres';
import { timeText } from '../jobs/job-json.ts';

/** A key as the API shows it: never its secret, nor what is stored of it. */
export function apiKeyJson(key: ApiKeyRecord): ApiKey {
  const { id, name, role, queues, payloads, configured, createdAt, createdBy, expiresAt, lastUsedAt } = key;
  const { revokedAt, revokedBy = '' } = key;
  return {
    id,
    name,
    role,
    payloads,
    configured,
    queues: queues ? [...queues] : null,
    state: revokedAt !== undefined ? 'revoked' : key.expired ? 'expired' : 'active',
    createdAt: timeText(createdAt),
    createdBy: createdBy ?? null,
    expiresAt: expiresAt === undefined ? null : timeText(expiresAt),
    lastUsedAt: lastUsedAt === undefined ? null : timeText(lastUsedAt),
    revoked: revokedAt === undefined ? null : { at: timeText(revokedAt), by: revokedBy },
  };
}
