import { ownTrace, parseTraceparent } from '@jetbeat/core';
import { type JobToPublish, type PublishResult, StorageFullError } from '@jetbeat/jetstream';
import type { Tracing } from '@jetbeat/runtime';
import { expect, test } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import { type Publish, traceRepublish } from './trace-republish.ts';

type SpanWhole = Parameters<Tracing['emit']>[0];

const TRACE = 'a'.repeat(32);
const SENT = 'b'.repeat(16);

/** What was published of these jobs, and the spans that were made. */
async function republish(jobs: readonly JobToPublish[], answer: (index: number) => PublishResult) {
  const spans: SpanWhole[] = [];
  let time = 0;
  const tracing = {
    now: () => ++time,
    newSpanId: () => `${spans.length}`.padStart(16, 'c'),
    samples: (_traceId: string, parent?: { sampled: boolean }) => parent?.sampled ?? true,
    emit: (span: SpanWhole) => spans.push(span),
  } as Partial<Tracing> as Tracing;
  let published: readonly JobToPublish[] = [];
  const publish: Publish = async (items) => {
    published = items;
    return items.map((_, index) => answer(index));
  };
  const results = await traceRepublish(tracing, publish)(jobs);
  return { results, published, spans };
}

const stored = (index: number): PublishResult => ({ ok: true, seq: index, duplicate: false, delayed: false });

test('a job goes on in its trace from a send span of its own', async () => {
  const envelope = newJob();
  const traceparent = `00-${TRACE}-${SENT}-01`;
  const { results, published, spans } = await republish([{ envelope, traceparent, repeat: true }], stored);
  expect(results).toEqual([stored(0)]);
  const [span] = spans;
  expect(span).toMatchObject({
    text: { name: 'send default', kind: 'producer', attributes: { 'jetbeat.job.id': envelope.id } },
    place: { traceId: TRACE, sampled: true },
    parent: { traceId: TRACE, spanId: SENT },
    startedAt: 1,
    endedAt: 2,
  });
  expect(span?.error).toBeUndefined();
  expect(parseTraceparent(published[0]?.traceparent)).toEqual(span?.place);
  expect(published).toMatchObject([{ envelope, repeat: true }]);
});

test('what is not kept is published as it was; what has no trace begins the one of its id', async () => {
  const [plain, unkept, lost] = [newJob(), newJob(), newJob()];
  const own = ownTrace(lost.id);
  const { published, spans } = await republish(
    [
      { envelope: plain },
      { envelope: unkept, traceparent: `00-${TRACE}-${SENT}-00` },
      { envelope: lost, traceparent: `00-${TRACE}-${own.spanId}-01` },
    ],
    stored,
  );
  expect(published[1]?.traceparent).toBe(`00-${TRACE}-${SENT}-00`);
  expect(spans.map(({ place, parent }) => [place.traceId, parent])).toEqual([
    [ownTrace(plain.id).traceId, undefined],
    [TRACE, undefined],
  ]);
  expect(parseTraceparent(published[0]?.traceparent)).toEqual(spans[0]?.place);
});

test('a publish that is refused ends its span with the reason', async () => {
  const error = new StorageFullError('no room');
  const { spans } = await republish([{ envelope: newJob() }], () => ({ ok: false, error }));
  expect(spans).toMatchObject([{ error: 'no room' }]);
});
