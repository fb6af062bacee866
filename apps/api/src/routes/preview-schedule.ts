import { describeIssues, type Issue, validateWhen } from '@jetbeat/core';
import { PREVIEW_COUNT, type PreviewRequest, PreviewRequestSchema } from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { answer, problems } from '../problems/problem-responses.ts';
import { collect } from '../requests/collect.ts';
import { readTime } from '../requests/read-time.ts';
import { readWhen } from '../schedules/read-when.ts';
import { previewJson } from '../schedules/when-json.ts';

/** `POST /schedules/preview`: when a schedule would fire, without making one. */
export function previewScheduleRoute(app: FastifyInstance, { clock }: Parts): void {
  app.post<{ Body: PreviewRequest }>(
    '/schedules/preview',
    {
      config: { role: 'viewer', scope: 'none', changesNothing: () => true, leavesNoRow: true },
      schema: {
        operationId: 'previewSchedule',
        tags: ['schedules'],
        summary: 'Say when a schedule would fire',
        body: PreviewRequestSchema,
        response: { 200: answer('The next times.', 'Preview'), ...problems(400, 413, 415, 422) },
      },
    },
    async ({ body }, reply) => {
      const issues: Issue[] = [];
      const spec = readWhen(body, issues);
      const { from: written, count = PREVIEW_COUNT } = body;
      const from = written === undefined ? clock() : collect(issues, () => readTime(written, '/from'));
      if (issues.length > 0 || from === undefined)
        throw new ApiError('invalid_request', describeIssues(issues), { issues });
      const wrong = validateWhen(spec, from);
      if (wrong.length > 0) throw new ApiError('invalid_schedule', describeIssues(wrong), { issues: wrong });
      return reply.send(previewJson({ ...spec, anchor: from, from, count }));
    },
  );
}
