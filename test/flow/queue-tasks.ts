import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineTask } from '@jetbeat/task';
import { Type } from 'typebox';

const input = Type.Object({ file: Type.String(), name: Type.String(), ms: Type.Number() });

/** Writes its name and the time into a file when it begins, and takes `ms`. */
export const stamp = defineTask({
  name: 'test.stamp',
  input,
  async run({ file, name, ms }) {
    appendFileSync(file, `${name} ${Date.now()}\n`);
    if (ms > 0) await pause(ms);
  },
});

/** Writes its name as `test.stamp` does, and ends when this address has answered. */
export const held = defineTask({
  name: 'test.held',
  input: Type.Object({ file: Type.String(), name: Type.String(), gate: Type.String() }),
  async run({ file, name, gate }, { signal }) {
    appendFileSync(file, `${name} ${Date.now()}\n`);
    await fetch(gate, { signal });
  },
});

/** Dies at once unless its input says otherwise. */
export const fragile = defineTask({
  name: 'test.fragile',
  input: Type.Object({ ok: Type.Boolean(), n: Type.Optional(Type.Number()) }),
  retry: { attempts: 1 },
  run({ ok, n }, { schedule }) {
    if (!ok) throw new Error('it is not ok');
    return { n: n ?? 0, nominalTime: schedule?.nominalTime ?? null };
  },
});

/** Dies at once, whatever its input. */
export const letter = defineTask({
  name: 'test.letter',
  retry: { attempts: 1 },
  run() {
    throw new Error('there is no such address');
  },
});
