import type { ScheduleSpec } from '@jetbeat/core';
import type { Warning } from '@jetbeat/core/http';
import { type AuditOf, databaseTime, editSchedule, type ScheduleRecord } from '@jetbeat/postgres';
import type { Caller } from '../access/caller.ts';
import { hidePayloads } from '../access/hide-payloads.ts';
import { scheduleWarnings, stillSees } from '../access/schedule-queue.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { matches } from '../requests/entity-tag.ts';
import { alreadyThere } from '../requests/preconditions.ts';
import { canonical, checkSchedule } from './check-schedule.ts';
import { writtenJson } from './schedule-json.ts';

/** A schedule as it is after a change. */
export interface ChangedSchedule {
  readonly schedule: ScheduleRecord;
  /** Whether it is another one now. */
  readonly changed: boolean;
  readonly warnings: Warning[];
}

/**
 * Changes what a schedule is. A change that was made already is none, whatever version was asked for: so a request may be
 * repeated whose answer was lost (RFC 9110 §13.1.1). Of who may not see all that is stored this is not so: such an answer would say that
 * the same is stored already.
 * @param params.keepsInput whether `write` leaves the input as it is
 * @param params.onlyIfNone whether nothing is done to one that is there
 * @param params.write what it is to be, of the schedule as it is; it may throw
 * @returns undefined when there is no such schedule
 * @throws ApiError stale, already_there, invalid_schedule, invalid_input, payload_too_large, and what `write` throws
 */
export async function changeSchedule(
  parts: Parts,
  params: {
    name: string;
    caller: Caller;
    keepsInput: boolean;
    ifMatch: string | undefined;
    onlyIfNone?: boolean;
    write: (schedule: ScheduleRecord) => ScheduleSpec;
    audit: AuditOf<ScheduleSpec>;
  },
): Promise<ChangedSchedule | undefined> {
  const { db } = parts;
  const { name, caller, keepsInput, ifMatch, onlyIfNone = false, write, audit } = params;
  const fleet = await parts.fleet();
  const now = await databaseTime(db);
  const view = { caller, settings: parts.settings, fleet };
  let changed = false;
  const schedule = await editSchedule(db, {
    name,
    audit,
    edit(before) {
      stillSees(view)(before);
      if (onlyIfNone) throw alreadyThere(`the schedule ${name}`);
      const definition = write(before);
      // What is stored may be anything that somebody wrote in plain SQL.
      changed = canonical(definition) !== canonical(before.definition);
      if (!changed && caller.payloads) return undefined;
      if (!matches(ifMatch, before.version)) throw stale(before, definition, { ifMatch, caller });
      checkSchedule(parts, { definition, fleet, now, caller, before: before.definition, keepsInput });
      return changed ? definition : undefined;
    },
  });
  if (!schedule) return undefined;
  return { schedule, changed, warnings: scheduleWarnings(schedule, view) };
}

/** The error for a request that has read an older version. `yours`: what it would have made of it, if that is anything. */
export function stale(
  current: ScheduleRecord,
  yours: ScheduleSpec | undefined,
  { ifMatch = '', caller }: { ifMatch: string | undefined; caller: Pick<Caller, 'payloads'> },
): ApiError {
  const { name, version } = current;
  const seen = (spec: ScheduleSpec) => (caller.payloads ? spec : (hidePayloads(spec) as ScheduleSpec));
  const message = `the schedule ${name} has version ${version} by now, not ${ifMatch}: look at what is different, and send yours again with If-Match: "${version}"`;
  return new ApiError('stale', message, {
    issues: yours ? differences(seen(current.definition), seen(yours)) : [],
    members: {
      current: { version, schedule: written(current.definition) },
      yours: { ifMatch, schedule: yours ? writtenJson(yours) : null },
    },
  });
}

/** Which fields are not the same. */
function differences(current: ScheduleSpec, yours: ScheduleSpec) {
  const fields = [...new Set([...Object.keys(current), ...Object.keys(yours)])] as (keyof ScheduleSpec)[];
  return fields
    .filter((field) => canonical(current[field]) !== canonical(yours[field]))
    .map((field) => ({
      pointer: `/${field}`,
      code: 'changed',
      message: `${field} is not what is stored now`,
    }));
}

/** As it is written, where it can be read. */
function written(definition: ScheduleSpec): unknown {
  try {
    return writtenJson(definition);
  } catch {
    return definition;
  }
}
