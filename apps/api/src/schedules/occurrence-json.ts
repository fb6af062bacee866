import type { Occurrence } from '@jetbeat/core/http';
import type { OccurrenceRecord } from '@jetbeat/postgres';
import { timeText } from '../jobs/job-json.ts';

/** An occurrence as the API shows it. */
export function occurrenceJson(occurrence: OccurrenceRecord): Occurrence {
  const { nominalTime, origin, state, reason, jobId, latenessMs, count, to } = occurrence;
  return {
    nominalTime: timeText(nominalTime),
    origin,
    state,
    ...(reason === undefined ? {} : { reason: { code: reason.code, text: reason.text } }),
    ...(jobId === undefined ? {} : { jobId }),
    ...(latenessMs === undefined ? {} : { latenessMs }),
    ...(count > 1 ? { count } : {}),
    ...(to === undefined ? {} : { to: timeText(to) }),
  };
}
