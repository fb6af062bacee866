import { Client } from 'pg';

/**
 * Tells what the API writes into its database; a recorder beside it has its own reasons. What a worker is told stands in the audit
 * before it is told, whatever it answers.
 */
export interface WriteWatch {
  /** What was written since the last time it was asked, a line for each row. */
  written(): Promise<string[]>;
  /** Waits until nothing was written for some time. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

/** Rows that are no state: answers that are kept for repeats of a request, how far a process is, and what an outbox tells of itself. */
const NO_STATE_TABLES = ['answer', 'migration'];
const NO_STATE_COLUMNS = ['published', 'stream_seq', 'last_used_at'];
const QUIET_MS = 400;
const MOST_MS = 5_000;

const SET_UP = `
  create unlogged table fuzz_write (line text not null);
  create function fuzz_note() returns trigger language plpgsql as $$
  declare before jsonb := case when TG_OP = 'INSERT' then null else to_jsonb(old) - '{${NO_STATE_COLUMNS}}'::text[] end;
          after jsonb := case when TG_OP = 'DELETE' then null else to_jsonb(new) - '{${NO_STATE_COLUMNS}}'::text[] end;
  begin
    if current_setting('application_name') = 'jetbeat api' and before is distinct from after
        and not (TG_TABLE_NAME like 'audit%' and after->>'action' like 'worker.%') then
      insert into fuzz_write values (TG_OP || ' ' || TG_TABLE_NAME || ' ' || left(coalesce(after, before)::text, 300));
    end if;
    return null;
  end $$;
  do $$ declare name text; begin
    for name in select c.relname from pg_class c where c.relnamespace = current_schema()::regnamespace
        and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'fuzz_write'
        and c.relname <> all('{${NO_STATE_TABLES}}'::text[]) loop
      execute format('create trigger fuzz_note after insert or update or delete on %I for each row execute function fuzz_note()', name);
    end loop;
  end $$;`;

/** Puts a trigger on every table there is. */
export async function watchWrites(url: string): Promise<WriteWatch> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(SET_UP);
  const written = async () => {
    const { rows } = await client.query<{ line: string }>('delete from fuzz_write returning line');
    return rows.map(({ line }) => line);
  };
  return {
    written,
    async quiet() {
      const until = performance.now() + MOST_MS;
      let last = performance.now();
      while (performance.now() - last < QUIET_MS && performance.now() < until) {
        if ((await written()).length > 0) last = performance.now();
        await client.query('select pg_sleep(0.05)');
      }
    },
    close: () => client.end(),
  };
}
