import type { Found } from './row.ts';
import { rows } from './rows/index.ts';
import { type OpenStage, onStage, type StageParams } from './stage.ts';

/** What this process is told, as JSON in its first argument. */
export interface RunOrder extends Omit<StageParams, 'say' | 'nodes'> {
  readonly row: string;
}

/** What it answers over the channel. */
export interface RunAnswer {
  readonly found?: Found & { readonly at: string };
  /** `server_version` of PostgreSQL. */
  readonly postgres?: string;
  readonly error?: string;
}

// One run of one row: a process of its own, with fresh servers, which are gone when it has ended.
const order = JSON.parse(process.argv[2] ?? '{}') as RunOrder;
const row = rows.find(({ name }) => name === order.row);
if (!row) throw new Error(`there is no row ${order.row}`);
const say = (line: string) => console.log(`    ${line}`);

const at = new Date().toISOString();
const stopped = new Promise<never>((_, reject) => {
  // Said twice, by a terminal and by the parent, it must not cut the clearing away short.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => reject(new Error(`stopped by ${signal}`)));
  }
  process.once('disconnect', () => reject(new Error('the process that started this run is gone')));
});
stopped.catch(() => undefined);
let postgres = 'unknown';
const open: OpenStage = (act, { nodes = 1 } = {}) =>
  onStage({ ...order, nodes, say }, async (stage) => {
    const [version] = await stage.history.rows<{ server_version: string }>('show server_version');
    postgres = version?.server_version ?? postgres;
    return await Promise.race([act(stage), stopped]);
  });
const running = row.run(open).then((found): RunAnswer => ({ found: { at, ...found }, postgres }));
const answer = await running.catch((error: unknown): RunAnswer => {
  return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
});
process.send?.(answer, () => process.exit(answer.error === undefined ? 0 : 1));
if (!process.send) process.exit(1);
