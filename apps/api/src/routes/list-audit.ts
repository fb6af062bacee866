import { AUDIT_TARGETS, describeIssues, nearest } from '@jetbeat/core';
import { type AuditChange, type AuditQuery, AuditQuerySchema, PAGE_SIZE } from '@jetbeat/core/http';
import { type AuditFilter, type AuditRecord, countAudit, listAudit } from '@jetbeat/postgres';
import type { FastifyInstance } from 'fastify';
import { timeText } from '../jobs/job-json.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
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

/**
 * No name has a colon.
 * @throws ApiError invalid_request for a kind that nothing has
 */
function readTarget(text: string): { kind?: string; id: string } {
  const [, kind, id = ''] = /^([^:]*):([\s\S]*)$/.exec(text) ?? [];
  if (kind === undefined) return { id: text };
  if (id !== '' && (AUDIT_TARGETS as readonly string[]).includes(kind)) return { kind, id };
  const meant = nearest(kind, AUDIT_TARGETS);
  const suggestion = meant === undefined || id === '' ? {} : { suggestion: `${meant}:${id}` };
  const hint = meant === undefined ? '' : `, did you mean "${meant}:${id || '…'}"?`;
  const message = `is a name or id, or one of ${AUDIT_TARGETS.join(', ')}, a colon and that${hint}`;
  const issues = [{ pointer: '?target', code: 'invalid_value', message, ...suggestion }];
  throw new ApiError('invalid_request', describeIssues(issues), { issues });
}

function auditJson({ at, ...rest }: AuditRecord): AuditChange {
  return { ...rest, at: timeText(at) };
}
