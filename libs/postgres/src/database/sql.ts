/** Runs statements, on a connection of the pool or inside one transaction. Values are bound, never written into the text. */
export interface Sql {
  /** The rows of a statement. */
  rows<Row>(text: string, values?: readonly unknown[], how?: How): Promise<Row[]>;
  /** The first row, if any. */
  row<Row>(text: string, values?: readonly unknown[], how?: How): Promise<Row | undefined>;
  /** How many rows a statement has changed. */
  run(text: string, values?: readonly unknown[]): Promise<number>;
}

/** How a statement is run. */
export interface How {
  /**
   * Each connection keeps it, with its plan, once it has proven good: planning a read of history costs more than the read, since there
   * are many partitions. Only for texts of which there are a few.
   */
  readonly prepared?: boolean;
}

/** What one statement gives back. */
export interface Answer {
  readonly rows: unknown[];
  readonly rowCount: number | null;
}

/** The part of the driver's connection that is used here. */
export interface Connection {
  query(statement: {
    text: string;
    values: unknown[];
    name?: string;
    query_timeout?: number;
  }): Promise<Answer>;
  /** With an error the connection is thrown away, else it goes back to the pool. */
  release(error?: Error): void;
}

/** Makes the three ways to ask of the one that the driver has. */
export function sqlOver(ask: (text: string, values: readonly unknown[], how: How) => Promise<Answer>): Sql {
  return {
    async rows<Row>(text: string, values: readonly unknown[] = [], how: How = {}) {
      return (await ask(text, values, how)).rows as Row[];
    },
    async row<Row>(text: string, values: readonly unknown[] = [], how: How = {}) {
      return (await ask(text, values, how)).rows[0] as Row | undefined;
    },
    async run(text, values = []) {
      return (await ask(text, values, {})).rowCount ?? 0;
    },
  };
}

/** SQL for a timestamptz as Unix milliseconds. */
export function ms(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`;
}

/**
 * The same of a time that has whole milliseconds, as all times of jobs have, and for lists of many: `extract` reckons with numerics, which
 * takes several times as long.
 */
export function wholeMs(column: string): string {
  return `round(date_part('epoch', ${column}) * 1000)`;
}

/** SQL for Unix milliseconds as a timestamptz. */
export function at(expression: string): string {
  return `to_timestamp((${expression})::float8 / 1000)`;
}

/** SQL for what follows a job's last settled attempt: of one that succeeded it is not stored, since there is only one thing. */
export function nextOf(state: string, next: string): string {
  return `case when ${state} = 'succeeded' then '{"state": "succeeded"}'::jsonb else ${next} end`;
}

/** SQL for a list of words of our own, e.g. the terminal states. */
export function words(list: readonly string[]): string {
  return list.map((word) => `'${word}'`).join(', ');
}
