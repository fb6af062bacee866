import { defineTask } from '@jetbeat/task';
import { Type } from 'typebox';

/** Does nothing with an input that was checked: what is left is Jetbeat's own work. */
export const noop = defineTask({
  name: 'bench.noop',
  input: Type.Object({ number: Type.Integer(), text: Type.String({ maxLength: 1_000 }) }),
  run() {},
});

const number = Type.Object({ number: Type.Integer() });

/** Does nothing, in a thread of its own. */
export const inThread = defineTask({ name: 'bench.in-thread', input: number, isolation: 'thread', run() {} });

/** Does nothing, in a child process, which is replaced after a thousand jobs. */
export const inProcess = defineTask({
  name: 'bench.in-process',
  input: number,
  isolation: { kind: 'process', maxJobs: 1_000 },
  run() {},
});

/** Takes as long as its input says, milliseconds. */
export const wait = defineTask({
  name: 'bench.wait',
  input: Type.Object({ ms: Type.Number({ minimum: 0 }) }),
  run: ({ ms }) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
});

/** Does nothing with a text that may be long. */
export const large = defineTask({
  name: 'bench.large',
  input: Type.Object({ text: Type.String() }),
  run() {},
});

/** Fails as often as its input says, without a delay, and then succeeds. */
export const flaky = defineTask({
  name: 'bench.flaky',
  input: Type.Object({ number: Type.Integer(), failures: Type.Integer({ minimum: 0, maximum: 5 }) }),
  retry: { attempts: 6, delay: '0ms', jitter: false },
  run({ failures }, { attempt }) {
    if (attempt <= failures) throw new Error('it fails as it was asked to');
  },
});

/**
 * Says how long after `sentAt` its handler began, in milliseconds; `sentAt` is the caller's monotonic clock in
 * nanoseconds, which all processes of one machine share.
 */
export const latency = defineTask({
  name: 'bench.latency',
  input: Type.Object({ sentAt: Type.String({ pattern: '^\\d+$' }), round: Type.Integer() }),
  run({ sentAt, round }) {
    return { ms: Number(process.hrtime.bigint() - BigInt(sentAt)) / 1e6, round };
  },
});

/** Says how long after its schedule's nominal time its handler began, in milliseconds. */
export const lateness = defineTask({
  name: 'bench.lateness',
  run(_input, { schedule }) {
    return { ms: performance.timeOrigin + performance.now() - Number(schedule?.nominalTime) };
  },
});

/** Says how long after its time its handler began, in milliseconds. */
export const delayed = defineTask({
  name: 'bench.delayed',
  input: Type.Object({ round: Type.Integer() }),
  run({ round }, { job }) {
    return { ms: performance.timeOrigin + performance.now() - job.runAt.getTime(), round };
  },
});
