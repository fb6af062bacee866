import { afterAll, beforeAll } from 'vitest';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, type StackParams, startStack } from './stack.ts';

/** Servers, an API and a recorder of one test file's own, beside a ledger that handlers tell what they do. */
export interface LedgerStack {
  readonly stack: Stack;
  readonly ledger: Ledger;
  /**
   * Posts a job whose input names a path of the ledger; resolves with its id.
   * @param input more of its input
   * @param rest more of the job
   */
  post(task: string, path: string, input?: object, rest?: object): Promise<string>;
}

/** Starts them before the first test of the file that calls this, and stops them after its last one. */
export function useLedgerStack(params: StackParams = {}): LedgerStack {
  let stack: Stack | undefined;
  let ledger: Ledger | undefined;
  beforeAll(async () => {
    ledger = await startLedger();
    stack = await startStack(params);
    await Promise.all([stack.start('api'), stack.start('recorder')]);
  }, 90_000);
  afterAll(async () => {
    await stack?.stop();
    await ledger?.stop();
  }, 60_000);
  const started = <T>(it: T | undefined): T => {
    if (it === undefined) throw new Error('the stack is there within tests only');
    return it;
  };
  return {
    get stack() {
      return started(stack);
    },
    get ledger() {
      return started(ledger);
    },
    post(task, path, input = {}, rest = {}) {
      const url = started(ledger).url + path;
      return started(stack).http.post({ task, input: { url, ...input }, ...rest });
    },
  };
}
