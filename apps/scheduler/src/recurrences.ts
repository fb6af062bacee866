import { createRecurrence, type Recurrence } from '@jetbeat/core';
import type { ScheduleRecord } from '@jetbeat/postgres';

/** The recurrences of the schedules that fired last, read once per revision of a schedule. */
export interface Recurrences {
  /** @throws when what is stored cannot be read here, e.g. a zone that this runtime does not know */
  of(schedule: ScheduleRecord): Recurrence;
}

/** Makes the cache; the one that was not used for longest goes first. */
export function createRecurrences(limit = 10_000): Recurrences {
  const known = new Map<string, { updatedAt: number; recurrence: Recurrence }>();
  return {
    of(schedule) {
      const { id, updatedAt, createdAt, definition } = schedule;
      const found = known.get(id);
      known.delete(id);
      const entry =
        found?.updatedAt === updatedAt
          ? found
          : {
              updatedAt,
              recurrence: createRecurrence({
                when: definition.when,
                timeZone: definition.timeZone,
                anchor: createdAt,
              }),
            };
      known.set(id, entry);
      const [oldest] = known.keys();
      if (known.size > limit && oldest !== undefined) known.delete(oldest);
      return entry.recurrence;
    },
  };
}
