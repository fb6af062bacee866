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

/** Writes the schedule and the nominal time that it runs for. */
export const noteTime = defineTask({
  name: 'test.note-time',
  input: Type.Object({ file: Type.String() }),
  run({ file }, { schedule }) {
    appendFileSync(file, `${schedule?.name} ${Number(schedule?.nominalTime)}\n`);
  },
});
