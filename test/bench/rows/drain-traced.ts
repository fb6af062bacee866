import type { Found, Row } from '../row.ts';
import { type SpanSink, startSpanSink } from '../span-sink.ts';
import { draining } from './drain.ts';

const SHARE = '0.1';

/** What the worker spent of its processor on one job, microseconds. */
function cost(found: Found, count: number): number {
  const worker = found.processes.find(({ name }) => name === 'worker');
  return ((worker?.cpuSeconds ?? 0) * 1e6) / count;
}

/** The same drain twice, without traces and with a tenth of them, and what the second keeps of the first. */
export const drainTraced: Row = {
  name: 'drain-traced',
  what: 'one worker drains no-op jobs, 10 % of them traced, recorder stopped',
  measures: [
    { name: 'rate', unit: 'jobs/s', better: 'more' },
    { name: 'rate, of that without traces', unit: 'ratio', better: 'more', goal: 0.9 },
    { name: 'CPU of the worker, of that without traces', unit: 'ratio', better: 'less', goal: 1.1 },
  ],
  async run(open) {
    const sink = await startSpanSink();
    try {
      return await compare(open, sink);
    } finally {
      await sink.stop();
    }
  },
};

async function compare(open: Parameters<Row['run']>[0], sink: SpanSink): Promise<Found> {
  let count = 200_000;
  const drain = (env: Readonly<Record<string, string>>) =>
    open((stage) => {
      if (stage.quick) count = 2_000;
      return draining(stage, { count, recorder: false, env });
    });
  const off = await drain({});
  const traced = await drain({
    ...sink.env,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: SHARE,
  });
  const bytes = await sink.bytes();
  const [rate = 0, rateOff = 0] = [traced, off].map(({ figures }) => figures['rate']);
  const [cpu, cpuOff] = [cost(traced, count), cost(off, count)];
  return {
    ...traced,
    figures: {
      rate,
      'rate, of that without traces': rate / rateOff,
      'CPU of the worker, of that without traces': cpu / cpuOff,
    },
    counts: [...off.counts, ...traced.counts, { what: 'spans arrived', wanted: 1, found: bytes > 0 ? 1 : 0 }],
    notes: { rateOff, workerMicrosecondsPerJob: { off: cpuOff, traced: cpu }, spanBytes: bytes },
  };
}
