import type { JobPage } from '@jetbeat/core/http';
import type { Searched } from '@jetbeat/postgres';
import { timeText } from './job-json.ts';

/** How far a search has looked, as the API shows it. */
export function searchedJson({ until, complete }: Searched): NonNullable<JobPage['searched']> {
  return { until: until === undefined ? null : timeText(until), complete };
}
