import { batchStates, parseSearch } from '@jetbeat/core';
import type { Batch, BatchRequest } from '@jetbeat/core/http';
import type { BatchFilter } from '@jetbeat/postgres';
import { type Caller, needPayloads } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';
import { readTime } from '../requests/read-time.ts';

/** How far back a filter reaches that says nothing of time, milliseconds. */
const WINDOW_MS = 7 * 86_400_000;

/**
 * A filter that says nothing is more often a template whose variable was empty than everything.
 * @throws ApiError invalid_request
 */
export function needFilter({ action, filter }: Pick<BatchRequest, 'action' | 'filter'>): void {
  if (Object.keys(filter).length > 0) return;
  const message = `an empty filter would ${action} whatever there is: name what is meant, or with "from" since when all of it is; "dryRun": true counts`;
  throw new ApiError('invalid_request', message, {
    issues: [{ pointer: '/filter', code: 'missing_field', message }],
  });
}

/**
 * Makes the filter of a request one that holds as of now, and holds it to what its caller may see.
 * @returns `warnings`: what was taken that was not said
 * @throws ApiError invalid_request for states in which the action cannot be done, and for times and searches that are none; payloads_hidden
 */
export function freezeFilter(
  { action, filter }: Pick<BatchRequest, 'action' | 'filter'>,
  { caller, now }: { readonly caller: Caller; readonly now: number },
): { readonly filter: BatchFilter; readonly warnings: Batch['warnings'] } {
  const { state, from, to, ids, search, ...rest } = filter;
  const terms = search === undefined ? undefined : parseSearch(search, '/filter/search');
  if (filter.meta || terms?.some(({ on }) => on === 'input' || on === 'meta'))
    needPayloads(caller, 'the filter');
  const found = batchStates(action, state);
  if (found.wrong) {
    const message = `"${action}" can be done with what is ${found.may.join(', ')}`;
    const issues = found.wrong.map((wrong) => ({
      pointer: `/filter/state/${state?.indexOf(wrong)}`,
      code: 'invalid_value',
      message,
    }));
    throw new ApiError('invalid_request', message, { issues });
  }
  const said = from === undefined ? undefined : readTime(from, '/filter/from');
  const isOpen = said === undefined && ids === undefined;
  const since = isOpen ? now - WINDOW_MS : said;
  const until = to === undefined ? undefined : readTime(to, '/filter/to');
  const warnings = isOpen
    ? [
        {
          code: 'last_7_days',
          message: `the filter says nothing of time: only jobs made since ${new Date(now - WINDOW_MS).toISOString()} are meant; give \`from\` for older ones`,
        },
      ]
    : [];
  return {
    filter: {
      ...rest,
      states: found.states,
      ...(terms === undefined ? {} : { search, terms }),
      ...(ids ? { ids: [...new Set(ids)] } : {}),
      ...(since === undefined ? {} : { from: since }),
      // What has an id of a later time was made later, or by a clock that runs fast.
      ...(ids && until === undefined ? {} : { to: Math.min(until ?? now + 1, now + 1) }),
    },
    warnings,
  };
}
