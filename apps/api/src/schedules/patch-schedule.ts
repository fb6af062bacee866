import { describeIssues, type ScheduleSpec, unknownFields } from '@jetbeat/core';
import { SchedulePutSchema, type ScheduleRequest } from '@jetbeat/core/http';
import { ApiError } from '../problems/problem.ts';
import { reword } from '../problems/reword.ts';
import { validatorCompiler } from '../requests/validation.ts';
import { isObject, mergePatch } from './merge-patch.ts';
import { readSchedule } from './read-schedule.ts';
import { writtenJson } from './schedule-json.ts';

/** Says what a schedule becomes by a merge patch. Throws ApiError invalid_request, InvalidInputError. */
export type PatchSchedule = (definition: ScheduleSpec, patch: unknown) => ScheduleSpec;

const FIELDS = Object.keys(SchedulePutSchema.properties);

/** Makes what patches schedules: the whole is checked as if it had been put. */
export function createPatch(): PatchSchedule {
  const check = validatorCompiler({ schema: SchedulePutSchema, httpPart: 'body', method: 'PATCH', url: '' });
  return (definition, patch) => {
    // A null would take an unknown field away, and nobody would hear of it.
    const title = 'ScheduleRequest';
    const unknown = isObject(patch)
      ? unknownFields(patch, FIELDS).map((issue) => reword(issue, { title, value: patch }))
      : [];
    if (unknown.length > 0)
      throw new ApiError('invalid_request', describeIssues(unknown), { issues: unknown });
    const written = writtenJson(definition);
    const merged = oneRule(mergePatch(written, patch), patch);
    const { error } = check(merged) as { error?: Error };
    if (error) throw error;
    const { name } = merged as ScheduleRequest;
    if (name === definition.name) return readSchedule(merged as ScheduleRequest);
    const message = 'a schedule keeps its name: make another one';
    const issues = [{ pointer: '/name', code: 'invalid_value', message }];
    throw new ApiError('invalid_request', message, { issues });
  };
}

/** A rule of another kind takes the place of the old one, of which a plain merge would leave the fields. */
function oneRule(merged: unknown, patch: unknown): unknown {
  if (!isObject(merged) || !isObject(patch) || !isObject(patch['when'])) return merged;
  const { when } = patch;
  const said = Object.entries(when).filter(([field, value]) => value !== null && field !== 'from');
  return said.length === 0 ? merged : { ...merged, when: mergePatch(keptOf(merged['when'], said), when) };
}

/** What stays of a rule when fields of one kind are said. */
function keptOf(when: unknown, said: readonly (readonly [string, unknown])[]): unknown {
  if (!isObject(when)) return {};
  const kinds = said.map(([field]) => field);
  return Object.fromEntries(
    Object.entries(when).filter(
      ([field]) => kinds.includes(field) || (field === 'from' && kinds.includes('every')),
    ),
  );
}
