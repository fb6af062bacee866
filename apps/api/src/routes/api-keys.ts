import {
  type ApiKeyCreated,
  type ApiKeyQuery,
  ApiKeyQuerySchema,
  type ApiKeyRequest,
  ApiKeyRequestSchema,
  PAGE_SIZE,
} from '@jetbeat/core/http';
import {
  type ApiKeyRecord,
  ConflictError,
  countApiKeys,
  createApiKey,
  type Database,
  databaseTime,
  findApiKey,
  listApiKeys,
  revokeApiKey,
} from '@jetbeat/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { makeKey, storedHash } from '../access/api-key.ts';
import { apiKeyJson } from '../access/api-key-json.ts';
import type { Scoped } from '../access/caller.ts';
import { checkMaker, readKeyExpiry } from '../access/new-key.ts';
import { timedId } from '../answers/asked-id.ts';
import { auditOf } from '../audit/audit-note.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';

const KEY_PARAMS = Type.Object({ id: Type.String({ maxLength: 512, description: 'Id of the key.' }) });
const PLACE = { at: /^\d{1,15}$/, id: /^[A-Za-z0-9]{1,32}$/ };

/** `POST /api-keys`: the key is told in its answer, and never again. */
export function createApiKeyRoute(app: FastifyInstance, { db }: Parts): void {
  app.post<{ Body: ApiKeyRequest }>(
    '/api-keys',
    {
      config: { role: 'admin', scope: 'new', toldOnce: true },
      schema: {
        operationId: 'createApiKey',
        tags: ['admin'],
        summary: 'Make a key',
        description:
          'The key is told in this answer alone; what is stored lets nobody in. A key makes none that may do more than itself.',
        body: ApiKeyRequestSchema,
        response: { 201: answer('The key.', 'ApiKeyCreated', 'Location'), ...problems(400, 409, 415) },
      },
    },
    async (request, reply) => {
      const { body, caller } = request;
      const now = await databaseTime(db);
      const expiresAt = readKeyExpiry(body, now);
      checkMaker(caller, body, expiresAt);
      const { name, role, queues, payloads = true } = body;
      const { id, secret, text } = makeKey(await ownId(db, request, now));
      const key = await createApiKey(db, {
        id,
        name,
        role,
        payloads,
        createdBy: caller.id,
        createdAt: now,
        hash: storedHash(secret),
        ...(queues === undefined ? {} : { queues }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
        audit: auditOf(request, 'key.create', { kind: 'api-key', id }, apiKeyJson),
      }).catch((error: unknown) => {
        // The same request has made it meanwhile.
        throw error instanceof ConflictError && request.repeatable ? toldOnce(id) : error;
      });
      request.log.info({ key: id, by: caller.id }, 'key made');
      const created: ApiKeyCreated = { ...apiKeyJson(key), key: text };
      return reply.status(201).header('location', `/api/v1/api-keys/${id}`).send(created);
    },
  );
}

/** `GET /api-keys`: newest first. */
export function listApiKeysRoute(app: FastifyInstance, { db, cursors, counting }: Parts): void {
  app.get<{ Querystring: ApiKeyQuery }>(
    '/api-keys',
    {
      config: { role: 'admin', scope: 'list' },
      schema: {
        operationId: 'listApiKeys',
        tags: ['admin'],
        summary: 'List keys, newest first; those that hold no more too',
        querystring: ApiKeyQuerySchema,
        response: { 200: answer('A page of keys.', 'ApiKeyPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { limit = PAGE_SIZE } = request.query;
      const list = cursors.of(request);
      const place = list.read(PLACE);
      const found = await listApiKeys(db, {
        limit: limit + 1,
        within: request.caller.queues,
        ...(place ? { after: { createdAt: Number(place.at), id: place.id } } : {}),
      });
      const { queues } = request.caller;
      const page = list.page(found, limit, {
        show: apiKeyJson,
        place: ({ createdAt: at, id }) => ({ at, id }),
      });
      const count = () => counting.others(['api-keys', queues], () => countApiKeys(db, queues));
      return reply.send({ ...page, ...(await list.total(found, limit, count)) });
    },
  );
}

/** `GET` and `DELETE /api-keys/{id}`. */
export function apiKeyRoutes(app: FastifyInstance, { db }: Parts): void {
  app.get<{ Params: { id: string } }>(
    '/api-keys/:id',
    {
      config: { role: 'admin', scope: 'list' },
      schema: {
        operationId: 'getApiKey',
        tags: ['admin'],
        summary: 'Get a key, without its secret',
        params: KEY_PARAMS,
        response: { 200: answer('The key.', 'ApiKey'), ...problems(404) },
      },
    },
    async ({ params, caller }, reply) =>
      reply.send(apiKeyJson(seen(await findApiKey(db, params.id), params.id, caller))),
  );
  app.delete<{ Params: { id: string } }>(
    '/api-keys/:id',
    {
      config: { role: 'admin', scope: 'list' },
      schema: {
        operationId: 'revokeApiKey',
        tags: ['admin'],
        summary: 'Take a key back: it lets nobody in any more within a second, and its streams end',
        params: KEY_PARAMS,
        response: { 204: { description: 'It is taken back.', type: 'null' }, ...problems(404, 409) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { caller } = request;
      seen(await findApiKey(db, id), id, caller);
      const audit = auditOf(request, 'key.revoke', { kind: 'api-key', id }, apiKeyJson);
      const outcome = await revokeApiKey(db, { id, by: caller.id, audit });
      if (outcome === 'unknown') throw notFound(id);
      if (outcome === 'last') {
        const message =
          'no other key could make as many keys for as long after this: make another one first, with the role admin, for all queues, with payloads and an end no earlier than of this one';
        throw new ApiError('last_admin_key', message);
      }
      if (outcome === 'revoked') request.log.info({ key: id, by: caller.id }, 'key revoked');
      return reply.status(204).send();
    },
  );
}

/** Of a request with a key of its own: what it has made before it died was told to nobody, and is not made twice. */
async function ownId(db: Database, request: FastifyRequest, now: number): Promise<string | undefined> {
  const { repeatable } = request;
  if (!repeatable) return undefined;
  const id = timedId(request, now)('api-key').replaceAll('-', '');
  if (!repeatable.again || !(await findApiKey(db, id))) return id;
  throw toldOnce(id);
}

function toldOnce(id: string): ApiError {
  const message = `this was done, and its answer is lost: revoke the key ${id}, and make another one with a new Idempotency-Key`;
  return new ApiError('told_once', message);
}

/** Who is for some queues only sees the keys that are for none beside these. */
function seen(key: ApiKeyRecord | undefined, id: string, { queues }: Scoped): ApiKeyRecord {
  const isWithin = queues === undefined || key?.queues?.every((queue) => queues.includes(queue));
  if (!key || !isWithin) throw notFound(id);
  return key;
}

function notFound(id: string): ApiError {
  return new ApiError('key_not_found', `there is no key with the id ${JSON.stringify(id.slice(0, 64))}`);
}
