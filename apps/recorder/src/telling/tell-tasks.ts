import { type Bus, mendTaskSettings } from '@jetbeat/jetstream';
import { allTaskSettings, type Database } from '@jetbeat/postgres';

/**
 * Makes what every process is told of the limits of tasks agree with PostgreSQL, as `tellQueues`.
 * @returns the tasks of which something else was told
 */
export function tellTasks({ bus, db }: { bus: Bus; db: Database }): Promise<string[]> {
  return mendTaskSettings(bus, () => allTaskSettings(db));
}
