import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedMessageError } from '../errors.ts';
import { uuidV7 } from '../ids.ts';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeText,
  FIRST_POSITION,
  type JobEnvelope,
  messageId,
} from './envelope.ts';

const job: JobEnvelope = {
  v: 1,
  id: uuidV7(1_700_000_000_000, new Uint8Array(10)),
  task: 'report.send',
  queue: 'mail',
  priority: 'high',
  input: { to: 'a@example.org' },
  meta: { team: 'blue' },
  policy: { retry: { attempts: 2 } },
  createdAt: 1_700_000_000_000,
  runAt: 1_700_000_000_000,
  schedule: {
    id: uuidV7(1, new Uint8Array(10)),
    name: 'nightly',
    nominalTime: 1_700_000_000_000,
    origin: 'plan',
  },
  ...FIRST_POSITION,
};
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test('an envelope is read back as it was written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), fc.nat(), (input, run, parks) => {
      const envelope = { ...job, input, run: run + 1, parks };
      expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(JSON.parse(JSON.stringify(envelope)));
    }),
  );
  const policy = { retry: { delay: [1, 2], retryOn: ['A'], noRetryOn: [] }, timeout: { hard: 1 } };
  const stated = { ...job, policy, expiresAt: job.runAt + 1 };
  expect(decodeEnvelope(encodeEnvelope(stated))).toEqual(stated);
  const keyed = { ...job, policy: { concurrency: { key: 'host-7', limit: 2 } } };
  expect(decodeEnvelope(encodeEnvelope(keyed))).toEqual(keyed);
  const wrong = { ...job, policy: { concurrency: { key: 'host-7', limit: 0 } } };
  expect(() => decodeEnvelope(encodeEnvelope(wrong))).toThrow('"policy"');
  const limited = { ...job, policy: { timeout: { hard: 1 } } };
  expect(decodeEnvelope(encodeEnvelope(limited))).toEqual(limited);
  const { meta: _meta, policy: _policy, schedule: _schedule, ...least } = job;
  expect(decodeEnvelope(encodeEnvelope(least))).toEqual(least);
});

test('an envelope is written around an input that is written already', () => {
  // With every field that there is, so that a new one is not forgotten.
  const whole: Required<JobEnvelope> = {
    ...job,
    meta: { team: 'blue "two"' },
    policy: { retry: { attempts: 2 } },
    schedule: { id: job.id, name: 'nightly', nominalTime: 5, origin: 'plan' },
    parent: job.id,
    expiresAt: 1_700_000_000_001,
    losses: 2,
    unique: { key: 'report:"42"', scope: 'task', mode: 'unfinished' },
  };
  const { meta: _m, policy: _p, schedule: _s, parent: _parent, losses: _l, expiresAt: _e, ...others } = whole;
  const { unique: _u, ...least } = others;
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(whole, least), (input, envelope) => {
      const written = envelopeText({ ...envelope, input }, JSON.stringify(input));
      expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify({ ...envelope, input })));
    }),
  );
});

test.each([
  ['id', 'x'],
  ['task', 'a b'],
  ['queue', 'a.b'],
  ['priority', 'urgent'],
  ['attempt', 0],
  ['run', 1.5],
  ['parks', -1],
  ['createdAt', '2026'],
  ['runAt', -1],
  ['losses', -1],
  ['expiresAt', '2026'],
  ['expiresAt', 8.64e15 + 1],
  ['meta', []],
  ['meta', { team: 7 }],
  ['unique', 'report'],
  ['unique', { key: 'a', scope: 'task', mode: 'sometimes' }],
  ['policy', 'none'],
  ['policy', { retry: { attempts: '2' } }],
  ['policy', { retry: 'often' }],
  ['policy', { retry: { delay: '5s' } }],
  ['policy', { retry: { delay: [1, '5s'] } }],
  ['policy', { retry: { retryOn: 'Error' } }],
  ['policy', { retry: { noRetryOn: [7] } }],
  ['policy', { timeout: { hard: '1h' } }],
  ['schedule', null],
  ['schedule', { nominalTime: 'noon' }],
])('a wrong %s is named', (field, value) => {
  expect(() => decodeEnvelope(bytes({ ...job, [field]: value }))).toThrow(
    `the envelope's field "${field}" is missing or wrong`,
  );
});

test('another version is refused', () => {
  expect(() => decodeEnvelope(bytes({ ...job, v: 2 }))).toThrow(
    'envelope version 2 is not known here, only 1',
  );
});

test('nesting without end is refused, wherever it stands', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  for (const field of ['v', 'input', 'meta']) {
    const text = JSON.stringify({ ...job, [field]: '@' }).replace('"@"', deep);
    expect(() => decodeEnvelope(new TextEncoder().encode(text))).toThrow('nested deeper than 32 levels');
  }
});

test('garbage is refused as malformed, and never as anything else', () => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.jsonValue().map(bytes),
    fc
      .record({ v: fc.constant(1), id: fc.jsonValue(), task: fc.jsonValue(), meta: fc.jsonValue() })
      .map(bytes),
  );
  fc.assert(
    fc.property(garbage, (data) => {
      expect(() => decodeEnvelope(data)).toThrow(MalformedMessageError);
    }),
  );
});

test('a message id names one step of one job', () => {
  expect(messageId(job)).toBe(`${job.id}.1.1.0`);
  expect(messageId({ ...job, attempt: 2, run: 3, parks: 4 })).toBe(`${job.id}.2.3.4`);
});

test('callbacks that cannot be made are refused', () => {
  const read = (policy: object) => decodeEnvelope(encodeEnvelope({ ...job, policy }));
  expect(read({ onSuccess: [{ task: 'a' }], onFailure: [] }).policy?.onSuccess).toHaveLength(1);
  for (const policy of [{ onSuccess: [{}] }, { onFailure: 'a' }])
    expect(() => read(policy)).toThrow('"policy" is missing or wrong');
});
