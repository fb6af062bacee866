import { isName, nearest, type SearchTerm } from '@jetbeat/core';
import type { Warning } from '@jetbeat/core/http';
import { getSchedule, listQueues, scheduleNames } from '@jetbeat/postgres';
import { type Caller, maySeeQueue } from '../access/caller.ts';
import { scheduleScope, seesSchedule } from '../access/schedule-queue.ts';
import { fleetSeenBy, seesTask } from '../access/sees-task.ts';
import { taskMeant } from '../fleet/fleet.ts';
import type { Parts } from '../parts.ts';
import { isQueue } from '../queues/find-queue.ts';
import { namesIn } from '../queues/queue-picture.ts';

/** What a filter can name. */
type Kind = 'task' | 'queue' | 'schedule';
type Asked = { readonly [kind in Kind]?: string | undefined } & { readonly terms?: readonly SearchTerm[] };
type Known = Pick<Parts, 'db' | 'settings' | 'fleet' | 'queues'>;

/** Names of a filter that are looked up, and names that a slip is compared with: it is said beside an answer. */
const MOST_ASKED = 4;
const MOST_NAMES = 500;

/**
 * What a caller should know where nothing was found: the names that were asked for and of which nothing is known, the first with the one
 * that was probably meant: to compare it with hundreds of names takes up to 30 ms, in which nobody else is answered. Of queues of others there is nothing.
 */
export async function unknownNames(
  parts: Known,
  caller: Caller,
  asked: Asked,
): Promise<{ warnings?: Warning[] }> {
  const warnings: Warning[] = [];
  for (const [kind, name] of namesOf(asked)) {
    const found = await LOOKS[kind](parts, caller, name);
    if (found === undefined) continue;
    const { what } = found;
    const meant = warnings.length === 0 ? await found.meant() : undefined;
    const message = `${what} ${JSON.stringify(name)}`;
    warnings.push({
      code: `unknown_${kind}`,
      message: meant === undefined ? message : `${message}; did you mean "${meant}"?`,
      ...(meant === undefined ? {} : { suggestion: meant }),
    });
  }
  return warnings.length === 0 ? {} : { warnings };
}

/** What a filter names as a whole, by a parameter or in its search. */
function namesOf({ terms = [], ...params }: Asked): readonly (readonly [Kind, string])[] {
  const named = (['task', 'queue', 'schedule'] as const).flatMap((kind) => {
    const inTerms = terms.flatMap((term) =>
      term.on === kind ? term.values.flatMap(([text, ...more]) => (more.length > 0 ? [] : [text])) : [],
    );
    const names = [params[kind], ...inTerms].filter((name) => name !== undefined);
    return [...new Set(names)].map((name) => [kind, name] as const);
  });
  return named.slice(0, MOST_ASKED);
}

/** By kind of thing: what is said of one that is not there; undefined for one that is. */
const LOOKS: Readonly<
  Record<
    Kind,
    (
      parts: Known,
      caller: Caller,
      name: string,
    ) => Promise<{ readonly what: string; readonly meant: () => Promise<string | undefined> } | undefined>
  >
> = {
  async task({ fleet, settings }, caller, name) {
    const all = await fleet();
    const isKnown = all.tasks.has(name) || all.served.has(name);
    if (isKnown && seesTask(caller, name, settings, all)) return undefined;
    return {
      what: 'no worker has served a task named',
      meant: async () => taskMeant(name, fleetSeenBy(caller, all)),
    };
  },
  async queue(parts, caller, name) {
    if (maySeeQueue(caller, name) && (await isQueue(parts, name))) return undefined;
    const meant = async () => {
      const made = (await listQueues(parts.db)).map((queue) => queue.name);
      const names = new Set([...made, ...namesIn(await parts.queues.picture())]);
      const seen = [...names].filter((one) => maySeeQueue(caller, one));
      return nearest(name, seen.slice(0, MOST_NAMES));
    };
    return { what: 'there is no queue named', meant };
  },
  async schedule(parts, caller, name) {
    const { db, settings } = parts;
    const fleet = await parts.fleet();
    const found = isName('schedule', name) ? await getSchedule(db, name) : undefined;
    if (found && seesSchedule(found, { caller, settings, fleet })) return undefined;
    const meant = async () => {
      const scope = await scheduleScope(caller, parts);
      return nearest(name, await scheduleNames(db, { scope, limit: MOST_NAMES }));
    };
    return { what: 'there is no schedule named', meant };
  },
};
