import { PAGE_SIZE, type SessionQuery, SessionQuerySchema } from '@jetbeat/core';
import { getSession, listSessions, type SessionRecord } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Scoped } from '../access/caller.ts';
import { auditNote } from '../audit/audit-note.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { sessionJson } from '../sign-in/session-json.ts';

const PARAMS = Type.Object({ id: Type.String({ maxLength: 512, description: 'Id of the session.' }) });
const PLACE = { at: /^\d{1,15}$/, id: /^s_[0-9a-f]{16}$/ };

/** `GET /sessions`: who is signed in, newest first. */
export function listSessionsRoute(app: FastifyInstance, { db, cursors }: Parts): void {
  app.get<{ Querystring: SessionQuery }>(
    '/sessions',
    {
      config: { role: 'admin', scope: 'list' },
      schema: {
        operationId: 'listSessions',
        tags: ['sessions'],
        summary: 'Who is signed in, newest first',
        querystring: SessionQuerySchema,
        response: { 200: answer('A page of sessions.', 'SessionPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { limit = PAGE_SIZE } = request.query;
      const { caller } = request;
      const list = cursors.of(request);
      const place = list.read(PLACE);
      const found = await listSessions(db, {
        limit: limit + 1,
        within: caller.queues,
        ...(place ? { after: { createdAt: Number(place.at), id: place.id } } : {}),
      });
      const show = (session: SessionRecord) => ({
        ...sessionJson(session),
        current: caller.kind === 'session' && caller.id === session.id,
      });
      return reply.send(list.page(found, limit, { show, place: ({ createdAt: at, id }) => ({ at, id }) }));
    },
  );
}

/** `DELETE /sessions/{id}`. */
export function revokeSessionRoute(app: FastifyInstance, { db, sessions }: Parts): void {
  app.delete<{ Params: { id: string } }>(
    '/sessions/:id',
    {
      config: { role: 'admin', scope: 'list' },
      schema: {
        operationId: 'revokeSession',
        tags: ['sessions'],
        summary: 'End a session: it lets nobody in any more within a second, and its streams end',
        params: PARAMS,
        response: { 204: { description: 'It is over.', type: 'null' }, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const session = seen(PLACE.id.test(id) ? await getSession(db, id) : undefined, id, request.caller);
      await sessions.end({ session, why: 'revoked', note: auditNote(request) });
      return reply.status(204).send();
    },
  );
}

/** Who is for some queues only sees the sessions that are for none beside these. */
function seen(session: SessionRecord | undefined, id: string, { queues }: Scoped): SessionRecord {
  const isWithin = queues === undefined || session?.queues?.every((queue) => queues.includes(queue));
  if (session && isWithin) return session;
  throw new ApiError(
    'session_not_found',
    `there is no session with the id ${JSON.stringify(id.slice(0, 64))}`,
  );
}
