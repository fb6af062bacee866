import { parseSearch } from '@jetbeat/core';
import type { JobCountsQuery } from '@jetbeat/core/http';
import type { JobFilter } from '@jetbeat/postgres';
import { type Caller, needPayloads } from '../access/caller.ts';
import { readTime } from '../requests/read-time.ts';

const META = 'meta.';

/**
 * Reads which jobs a request asks for, and holds it to what its caller may see: of other queues there is nothing, and where inputs and
 * notes are hidden they cannot be found out by searching for them either.
 * @throws InvalidInputError for a time or a search that is none
 * @throws ApiError payloads_hidden
 */
export function readJobFilter(query: JobCountsQuery, caller: Caller): JobFilter {
  const { state, task, queue, schedule, from, to, search } = query;
  const meta = metaOf(query);
  const terms = search === undefined ? undefined : parseSearch(search);
  const names = Object.keys(meta);
  if (names.length > 0 || terms?.some(({ on }) => on === 'input' || on === 'meta'))
    needPayloads(caller, 'the search');
  return {
    ...(caller.queues === undefined ? {} : { queues: caller.queues }),
    ...(state === undefined ? {} : { states: state }),
    ...(task === undefined ? {} : { task }),
    ...(queue === undefined ? {} : { queue }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(from === undefined ? {} : { from: readTime(from, '?from') }),
    ...(to === undefined ? {} : { to: readTime(to, '?to') }),
    ...(names.length === 0 ? {} : { meta }),
    ...(terms === undefined ? {} : { terms }),
  };
}

/** `?meta.<name>=<text>`; the schema has checked names and texts. */
function metaOf(query: object): Record<string, string> {
  const said = Object.entries(query).filter(([name]) => name.startsWith(META));
  return Object.fromEntries(said.map(([name, text]) => [name.slice(META.length), String(text)]));
}
