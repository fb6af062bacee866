import { type EndedSessions, type EndSessions, EndSessionsSchema } from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import { mayDo } from '../access/api-key.ts';
import type { Caller } from '../access/caller.ts';
import { auditNote } from '../audit/audit-note.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { sessionsSeen } from '../sign-in/sessions-seen.ts';

/** `POST /sessions/end`: all of a person, of a key, or all of one's own but this one. */
export function endSessionsRoute(app: FastifyInstance, { db, sessions }: Parts): void {
  app.post<{ Body: EndSessions }>(
    '/sessions/end',
    {
      config: { role: 'viewer', scope: 'list' },
      schema: {
        operationId: 'endSessions',
        tags: ['sessions'],
        summary: 'End all other sessions of oneself, or all of a person or a key',
        description:
          'They let nobody in any more within a second, and their streams end. Who may sign in can do so again: take the person out at the provider, or the key back, before. `key` and `subject` need the role admin, and may end the session that asks.',
        body: EndSessionsSchema,
        response: { 200: answer('They are over.', 'EndedSessions'), ...problems(400, 415) },
      },
    },
    async (request, reply) => {
      const { body, caller } = request;
      const { key, subject } = body;
      if (body.others === undefined) needAdmin(caller);
      const seenBy = await sessionsSeen(db, caller);
      const which = body.others ? { own: true, except: caller.id } : { key, subject };
      const filter = { seenBy, ...which };
      const ended = await sessions.endAll({ filter, why: 'revoked', note: auditNote(request) });
      request.log.info({ by: caller.id, ended, ...body }, 'sessions were ended');
      return reply.send({ ended } satisfies EndedSessions);
    },
  );
}

/** Told to all alike, whether there are such sessions or not. */
function needAdmin({ role, kind }: Caller): void {
  if (mayDo(role, 'admin')) return;
  const message = `sessions of a key or a person are ended by admins; the ${kind} has ${role}: "others" ends the own ones`;
  throw new ApiError('forbidden', message);
}
