import { type AuditChange, type AuditQuery, AuditQuerySchema, PAGE_SIZE } from '@jetbeat/core';
import { type AuditFilter, type AuditRecord, countAudit, listAudit } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { timeText } from '../jobs/job-json.ts';
import type { Parts } from '../parts.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { readTime } from '../requests/read-time.ts';

const PLACE = { at: /^\d{1,15}$/, id: /^\d{1,15}$/ };

/** `GET /audit`: who changed what, newest first. */
export function listAuditRoute(app: FastifyInstance, { db, cursors, counting }: Parts): void {
  app.get<{ Querystring: AuditQuery }>(
    '/audit',
    {
      config: { role: 'admin', scope: 'every' },
      schema: {
        operationId: 'listAudit',
        tags: ['admin'],
        summary: 'List who changed what, newest first',
        querystring: AuditQuerySchema,
        response: { 200: answer('A page of changes.', 'AuditPage'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { query } = request;
      const { limit = PAGE_SIZE } = query;
      const list = cursors.of(request);
      const place = list.read(PLACE);
      const filter = filterOf(query);
      const found = await listAudit(db, {
        ...filter,
        limit: limit + 1,
        ...(place ? { after: { at: Number(place.at), id: Number(place.id) } } : {}),
      });
      const page = list.page(found, limit, { show: auditJson, place: ({ at, id }) => ({ at, id }) });
      const count = () => counting.others(['audit', filter], () => countAudit(db, filter));
      return reply.send({ ...page, ...(await list.total(found, limit, count)) });
    },
  );
}

function filterOf({ actor, action, target, from, to }: AuditQuery): AuditFilter {
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(action === undefined ? {} : { action }),
    ...(target === undefined ? {} : { target: readTarget(target) }),
    ...(from === undefined ? {} : { from: readTime(from, '?from') }),
    ...(to === undefined ? {} : { to: readTime(to, '?to') }),
  };
}

/** No name has a colon. */
function readTarget(text: string): { kind?: string; id: string } {
  const [, kind, id = text] = /^([a-z-]+):(.+)$/.exec(text) ?? [];
  return kind === undefined ? { id } : { kind, id };
}

function auditJson({ at, ...rest }: AuditRecord): AuditChange {
  return { ...rest, at: timeText(at) };
}
