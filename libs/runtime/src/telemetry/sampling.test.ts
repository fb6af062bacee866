import { randomUUID } from 'node:crypto';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { readSampling, toSampler } from './sampling.ts';

const ids = Array.from({ length: 2_000 }, () => randomUUID().replaceAll('-', ''));
const id = '0190a1b2c3d47e5f8000000000000001';

function read(env: Record<string, string>) {
  const warnings: string[] = [];
  return { ...readSampling(env, (text) => warnings.push(text)), warnings };
}

test('everything, as the specification has it', () => {
  const { samples, warnings } = read({});
  expect([samples(id, undefined), samples(id, true), samples(id, false)]).toEqual([true, true, false]);
  expect(warnings).toEqual([]);
});

test('nothing', () => {
  const { samples } = read({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
  expect([samples(id, undefined), samples(id, true)]).toEqual([false, true]);
  expect(read({ OTEL_TRACES_SAMPLER: 'always_off' }).samples(id, true)).toBe(false);
});

test('a share, by the id alone', () => {
  const env = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
  const { samples } = read(env);
  const kept = ids.filter((each) => samples(each, undefined));
  expect(kept.length).toBeGreaterThan(400);
  expect(kept.length).toBeLessThan(600);
  expect(ids.filter((each) => read(env).samples(each, undefined))).toEqual(kept);
  const more = read({ ...env, OTEL_TRACES_SAMPLER_ARG: '0.5' });
  expect(kept.every((each) => more.samples(each, undefined))).toBe(true);
});

test.each(['0', '0.000001', '0.1', '0.5', '0.8125', '1'])(
  'a job is decided about as its trace is: %s',
  (share) => {
    const { samples } = read({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: share });
    const least = Math.min(Math.floor((1 - Number(share)) * 16 ** 13), 16 ** 13 - 1);
    const edges = [least - 1, least, least + 1].filter((random) => random >= 0 && random < 16 ** 13);
    const digits = [
      ...ids,
      ...edges.map((random) => `${'0'.repeat(19)}${random.toString(16).padStart(13, '0')}`),
    ];
    for (const each of digits) {
      const jobId = each.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
      const kept = share !== '0' && Number.parseInt(each.slice(-13), 16) >= least;
      expect([each, samples(each, undefined), samples(jobId, undefined)]).toEqual([each, kept, kept]);
    }
  },
);

test('what cannot be read is told, and everything is kept', () => {
  const strange = read({ OTEL_TRACES_SAMPLER: 'jaeger_remote' });
  expect([strange.samples(id, undefined), strange.warnings]).toEqual([
    true,
    ['OTEL_TRACES_SAMPLER "jaeger_remote" is not known here: every trace is kept'],
  ]);
  const wrong = read({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '10' });
  expect([wrong.samples(id, false), wrong.warnings]).toEqual([
    true,
    ['OTEL_TRACES_SAMPLER_ARG must be from 0 to 1, not "10": every trace is kept'],
  ]);
});

test('the SDK follows it', () => {
  const sampler = toSampler(read({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }));
  const decide = (at: typeof ROOT_CONTEXT) => sampler.shouldSample(at, id, 'x', 0, {}, []).decision;
  const parent = { traceId: id, spanId: 'ab'.repeat(8), traceFlags: 1 };
  expect(decide(ROOT_CONTEXT)).toBe(SamplingDecision.NOT_RECORD);
  expect(decide(trace.setSpanContext(ROOT_CONTEXT, parent))).toBe(SamplingDecision.RECORD_AND_SAMPLED);
});
