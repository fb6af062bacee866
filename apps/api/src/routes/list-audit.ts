import { AUDIT_TARGETS, describeIssues, nearest } from '@jetbeat/core';
import {
  type AuditChange,
  type AuditQuery,
  AuditQuerySchema,
  PAGE_SIZE,
  type Warning,
} from '@jetbeat/core/http';
import {
  type AuditFilter,
  type AuditRecord,
  countAudit,
  type Database,
  findApiKey,
  listApiKeys,
  listAudit,
} from '@jetbeat/postgres';
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
      const isNone = found.length === 0 && place === undefined;
      const warnings = isNone ? await unknownActor(db, query.actor) : [];
      return reply.send({
        ...page,
        ...(await list.total(found, limit, count)),
        ...(warnings.length > 0 ? { warnings } : {}),
      });
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

/** Keys that a slip is compared with. */
const MOST_KEYS = 200;

async function newestIds(db: Database): Promise<string[]> {
  return (await listApiKeys(db, { limit: MOST_KEYS })).map(({ id }) => id);
}

/** What to say of somebody who has changed nothing: of a name of a key, its id. */
async function unknownActor(db: Database, actor: string | undefined): Promise<Warning[]> {
  if (actor === undefined) return [];
  const [row] = await listAudit(db, { actor, limit: 1 });
  if (row || (await findApiKey(db, actor))) return [];
  const [named] = await listApiKeys(db, { limit: 1, named: actor });
  const meant = named?.id ?? nearest(actor, await newestIds(db));
  const message = `no key or session with the id ${JSON.stringify(actor)} has changed anything`;
  if (meant === undefined) return [{ code: 'unknown_actor', message }];
  return [{ code: 'unknown_actor', message: `${message}; did you mean "${meant}"?`, suggestion: meant }];
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
