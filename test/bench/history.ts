import { MikroORM } from '@mikro-orm/postgresql';

/** Looks at PostgreSQL with SQL of its own. */
export interface History {
  /** `count(*)` of the jobs of the bench's tasks, or of those in a state. */
  jobs(state?: string): Promise<number>;
  /** `count(*)` of attempts. */
  attempts(): Promise<number>;
  /** The rows of a query. */
  rows<T extends object>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

const QUERY_MS = 120_000;

/** Connects. */
export function openHistory(url: string): History {
  const orm = new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    driverOptions: { max: 1, connectionTimeoutMillis: 10_000, statement_timeout: QUERY_MS },
  });
  const rows = async <T extends object>(sql: string, values: readonly unknown[] = []) =>
    (await orm.driver.getConnection().execute(sql, [...values])) as T[];
  const count = async (sql: string, values: readonly unknown[] = []) =>
    Number((await rows<{ count: string }>(sql, values))[0]?.count);
  const ofBench = `from job where task like 'bench.%'`;
  return {
    jobs: (state) =>
      state === undefined
        ? count(`select count(*) ${ofBench}`)
        : count(`select count(*) ${ofBench} and state = ?`, [state]),
    attempts: () => count('select count(*) from attempt'),
    rows,
    close: () => orm.close(true),
  };
}
