import { appendFileSync } from 'node:fs';
import { defineTask } from '@jetbeat/task';
import { Type } from 'typebox';

/** Writes its name into a ledger of `file-ledger.ts`, and nothing else: a job of some microseconds. */
export const note = defineTask({
  name: 'test.note',
  input: Type.Object({ file: Type.String(), name: Type.String() }),
  run({ file, name }) {
    appendFileSync(file, `${name}\n`);
  },
});
