import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

// One row of one peer: `node measure.mjs <peer> <verb> <json>` prints its figures as one line of JSON.
const [peer, verb, json] = process.argv.slice(2);
const params = JSON.parse(json);
const { connect } = await import(`./${peer}.mjs`);

const warm = 'warm';
const bench = 'bench';

/** Milliseconds of a clock that all processes of a machine share (CLOCK_MONOTONIC). */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves when `onStart` was called `count` times; keeps when the first of them was. */
function counting(count) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const state = { started: 0, first: 0, all: promise, onError: reject };
  state.onStart = () => {
    if (state.started === 0) state.first = now();
    state.started += 1;
    if (state.started === count) resolve();
  };
  return state;
}

/** Adds jobs to a queue, and works them off. */
async function runThrough(system, name, count) {
  const jobs = counting(count);
  const { concurrency } = params.settings;
  const worker = await system.work({ name, concurrency, onStart: jobs.onStart, onError: jobs.onError });
  await jobs.all;
  await worker.recorded();
  const end = now();
  await worker.stop();
  return { seconds: (end - jobs.first) / 1000, started: jobs.started };
}

const verbs = {
  /** How long it takes until all jobs are stored and the producer knows. */
  async bulk(system) {
    await system.addMany(warm, params.warmup);
    const begun = now();
    await system.addMany(bench, params.jobs);
    return { seconds: (now() - begun) / 1000 };
  },

  /** From the start of the first job to the moment at which the server has the last one as done. */
  async drain(system) {
    await system.addMany(warm, params.warmup);
    await runThrough(system, warm, params.warmup);
    await system.addMany(bench, params.jobs);
    await system.settle();
    return runThrough(system, bench, params.jobs);
  },

  /** Jobs at a fixed rate, whatever becomes of them; a process of its own works them off. */
  async latency(system) {
    const { rate, warmup, jobs } = params;
    const listener = fork(fileURLToPath(import.meta.url), [peer, 'listen', json], { stdio: 'inherit' });
    const ended = once(listener, 'exit').then(([code]) => {
      throw new Error(`the worker ended early, code ${code}`);
    });
    ended.catch(() => {});
    await Promise.race([once(listener, 'message'), ended]);
    const answer = once(listener, 'message');
    const added = [];
    const everyMs = 1000 / rate;
    const begun = now();
    for (let number = 0; number < warmup + jobs; ) {
      const elapsed = now() - begun;
      // A job carries the time at which it should have been sent, so a late sender hides nothing.
      while (number < warmup + jobs && number * everyMs <= elapsed) {
        const sentAt = begun + number * everyMs;
        added.push(system.addOne(bench, { number: number++, sentAt }));
      }
      // Timers are about a millisecond late, so the last one is spent turning the loop.
      const wait = number * everyMs - elapsed;
      if (wait > 2) await pause(wait - 1.5);
      else await turn();
    }
    await Promise.all(added);
    const [figures] = await Promise.race([answer, ended]);
    listener.send('stop');
    return figures;
  },

  async listen(system) {
    const { warmup, jobs, settings } = params;
    const samples = [];
    const seen = new Set();
    const { promise, resolve, reject } = Promise.withResolvers();
    const onStart = ({ number, sentAt }) => {
      if (number >= warmup && !seen.has(number)) samples.push(now() - sentAt);
      seen.add(number);
      if (seen.size === warmup + jobs) resolve();
    };
    const concurrency = settings.concurrency;
    const worker = await system.work({ name: bench, concurrency, onStart, onError: reject });
    process.send('ready');
    await promise;
    await worker.recorded();
    samples.sort((a, b) => a - b);
    const at = (part) => samples[Math.max(1, Math.ceil(samples.length * part)) - 1];
    const told = once(process, 'message');
    process.send({ p50: at(0.5), p99: at(0.99), started: seen.size });
    await told;
    await worker.stop();
    process.disconnect();
    return undefined;
  },
};

/** The input of a no-op job, of the size that Jetbeat's own rows have. */
const input = (number) => ({ number, text: params.text });
const system = await connect({ url: params.url, settings: params.settings, input });
const figures = await verbs[verb](system);
await system.close();
if (figures !== undefined) console.log(JSON.stringify(figures));
