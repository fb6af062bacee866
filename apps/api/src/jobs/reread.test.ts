import { JobRequestSchema, ScheduleRequestSchema } from '@jetbeat/core/http';
import { expect, test } from 'vitest';
import type { ApiError } from '../problems/problem.ts';
import { validatorCompiler } from '../requests/validation.ts';
import { reread } from './reread.ts';

const refused = (schema: typeof JobRequestSchema | typeof ScheduleRequestSchema, value: unknown) => {
  const check = validatorCompiler({ schema, httpPart: 'body', method: 'POST', url: '/' });
  const { error } = check(value) as { error?: ApiError };
  return error?.issues.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();
};

test('the job of a schedule has the codes and places of a job', () => {
  const job = { task: 'a', input: 1, retry: { delay: 5 }, meta: { 'a b': 'x', c: 5 } };
  const schedule = { name: 's', when: { every: '1m' }, job };
  const found = ['/meta/a b invalid_value', '/meta/c invalid_value', '/retry/delay invalid_duration'];
  expect(refused(JobRequestSchema, job)).toEqual(found);
  expect(refused(ScheduleRequestSchema, schedule)).toEqual(found.map((issue) => `/job${issue}`));
});

test('what only the schema finds stays, and so does every other field', () => {
  expect(refused(JobRequestSchema, { task: 5, inputs: 1, expires: '2020-13', retry: 5 })).toEqual([
    ...['/expires invalid_duration', '/input missing_field', '/inputs unknown_field'],
    ...['/retry invalid_value', '/task invalid_type'],
  ]);
  const issues = [{ pointer: '/retry', code: 'invalid_type', message: 'x' }];
  expect(reread(issues, { title: 'Other', value: { retry: 5 } })).toBe(issues);
  expect(reread(issues, { title: 'ScheduleRequest', value: { job: [] } })).toBe(issues);
});
