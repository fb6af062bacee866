import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A file outside of the system, to which jobs append a line each (`note-task.ts`): for effects by the hundred thousand. What
 * was written stays when the writer is killed.
 */
export interface FileLedger {
  readonly file: string;
  /** How often each name was written. */
  read(): Promise<ReadonlyMap<string, number>>;
  /** How many lines there are. */
  lines(): Promise<number>;
  stop(): Promise<void>;
}

const NEWLINE = 10;

/** Makes an empty one. */
export async function startFileLedger(): Promise<FileLedger> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-ledger-'));
  const file = join(dir, 'ledger');
  await writeFile(file, '');
  const names = async () => (await readFile(file, 'latin1')).split('\n').slice(0, -1);
  return {
    file,
    async read() {
      const counts = new Map<string, number>();
      for (const name of await names()) counts.set(name, (counts.get(name) ?? 0) + 1);
      return counts;
    },
    lines: async () => {
      let lines = 0;
      for (const byte of await readFile(file)) if (byte === NEWLINE) lines++;
      return lines;
    },
    stop: () => rm(dir, { recursive: true, force: true }),
  };
}
