import { PAGE_SIZE, type SessionQuery, SessionQuerySchema } from '@jetbeat/core/http';
import {
  countSessions,
  getSession,
  listSessions,
  type SessionFilter,
  type SessionRecord,
  seesSession,
} from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { auditNote } from '../audit/audit-note.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { sessionJson } from '../sign-in/session-json.ts';
import { sessionsSeen } from '../sign-in/sessions-seen.ts';

const PARAMS = Type.Object({ id: Type.String({ maxLength: 512, description: 'Id of the session.' }) });
const PLACE = { at: /^\d{1,15}$/, id: /^s_[0-9a-f]{16}$/ };

/** `GET /sessions`: who is signed in, newest first. */
export function listSessionsRoute(app: FastifyInstance, { db, cursors, counting }: Parts): void {
  app.get<{ Querystring: SessionQuery }>(
    '/sessions',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'listSessions',
        tags: ['sessions'],
        summary: 'Where one is signed in, and, for admins, who else is; newest first',
        description:
          'One sees the sessions of the same key, or of the same person at the provider; an admin those of all. What a link has begun sees itself alone.',
        querystring: SessionQuerySchema,
        response: { 200: answer('A page of sessions.', 'SessionPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { query, caller } = request;
      const { limit = PAGE_SIZE, whose, key, subject, name } = query;
      const list = cursors.of(request);
      const place = list.read(PLACE);
      const seenBy = await sessionsSeen(db, caller);
      const filter: SessionFilter = { seenBy, own: whose === 'own', key, subject, name };
      const found = await listSessions(db, {
        ...filter,
        limit: limit + 1,
        ...(place ? { after: { createdAt: Number(place.at), id: place.id } } : {}),
      });
      const show = (session: SessionRecord) => ({
        ...sessionJson(session),
        current: caller.kind === 'session' && caller.id === session.id,
      });
      const page = list.page(found, limit, { show, place: ({ createdAt: at, id }) => ({ at, id }) });
      const count = () => counting.others(['sessions', filter], () => countSessions(db, filter));
      return reply.send({ ...page, ...(await list.total(found, limit, count)) });
    },
  );
}

/** `DELETE /sessions/{id}`. */
export function revokeSessionRoute(app: FastifyInstance, { db, sessions }: Parts): void {
  app.delete<{ Params: { id: string } }>(
    '/sessions/:id',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'revokeSession',
        tags: ['sessions'],
        summary: 'End a session: it lets nobody in any more within a second, and its streams end',
        description:
          'One that `GET /sessions` shows to whoever asks; any other is answered as what there is not. What its links have begun ends with it.',
        params: PARAMS,
        response: { 204: { description: 'It is over.', type: 'null' }, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const seenBy = await sessionsSeen(db, request.caller);
      const session = PLACE.id.test(id) ? await getSession(db, id) : undefined;
      if (!session || !seesSession(seenBy, session)) throw notFound(id);
      await sessions.end({ session, why: 'revoked', note: auditNote(request) });
      return reply.status(204).send();
    },
  );
}

function notFound(id: string): ApiError {
  const message = `there is no session with the id ${JSON.stringify(id.slice(0, 64))}`;
  return new ApiError('session_not_found', message);
}
