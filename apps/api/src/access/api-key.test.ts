import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { hasHash, hashSecret, makeKey, mayDo, parseKey, ROLES, storedHash } from './api-key.ts';

test('a new key is one that is read, and no two are the same', () => {
  const keys = Array.from({ length: 100 }, makeKey);
  expect(new Set(keys.map(({ text }) => text)).size).toBe(100);
  for (const { id, secret, text } of keys) {
    expect(text).toMatch(/^jb_[0-9a-f]{16}_[\w-]{43}$/);
    expect(parseKey(text)).toEqual({ id, secret });
  }
});

test.each([
  '',
  'jb__x',
  `jb_a_${'s'.repeat(31)}`,
  `jb_a_${'s'.repeat(129)}`,
  `jb_a.b_${'s'.repeat(43)}`,
  `JB_a_${'s'.repeat(43)}`,
  `jb_a_${'s'.repeat(43)}\n`,
])('%j is no key', (text) => expect(parseKey(text)).toBeUndefined());

test('a secret has its hash, in both forms, and no other', () => {
  expect(hasHash('secret', hashSecret('secret'))).toBe(true);
  expect(hasHash('secret', storedHash('secret'))).toBe(true);
  for (const hash of [
    undefined,
    '',
    'revoked',
    'sha256:',
    '0'.repeat(64),
    hashSecret('Secret'),
    `${hashSecret('secret')}0`,
  ])
    expect(hasHash('secret', hash), String(hash)).toBe(false);
});

test('a version that knows roles alone cannot read what has more to it', () => {
  // As it compared: both as hexadecimal digits.
  expect(Buffer.from(storedHash('secret'), 'hex')).toHaveLength(0);
});

test('each role may do what the ones before it may', () => {
  const table = ROLES.map((has) => ROLES.map((needs) => mayDo(has, needs)));
  expect(table).toEqual([
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
});

test('how long a wrong secret takes to refuse tells nothing of how much of it is right, or whether there is such a key', () => {
  const secret = makeKey().secret;
  const hash = storedHash(secret);
  // Made in one way: a text that is put together takes longer to read than one that was made whole.
  const whole = (text: string) => Buffer.from(text).toString('latin1');
  const nearly = whole(`${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`);
  const far = whole(makeKey().secret);
  const kinds = [() => hasHash(nearly, hash), () => hasHash(far, hash), () => hasHash(far, undefined)];
  measured(kinds, 2_000); // what is compiled on the way
  // A difference that is there is seen each time; one that a busy machine makes is seen in up to half of them, so it is looked again.
  const differs: number[] = [];
  const apart: number[] = [];
  while (differs.length < 20 && !(Math.min(...differs) < 4.5 && Math.min(...apart) < 0.002)) {
    const [right = [], wrong = [], none = []] = measured(kinds, 10_000).map(trimmed);
    differs.push(Math.abs(welch(right, wrong)));
    apart.push(Math.abs(mean(none) - mean(wrong)));
  }
  expect(Math.min(...differs)).toBeLessThan(4.5);
  // A difference of a microsecond or two is nothing that a network lets through.
  expect(Math.min(...apart)).toBeLessThan(0.002);
});

/** How long each call took each time, milliseconds; who comes first takes turns, since that one finds colder caches. */
function measured(calls: readonly (() => void)[], rounds: number): number[][] {
  const times: number[][] = calls.map(() => []);
  for (let turn = 0; turn < rounds * calls.length; turn++) {
    const index = (turn + Math.floor(turn / calls.length)) % calls.length;
    const begin = performance.now();
    calls[index]?.();
    times[index]?.push(performance.now() - begin);
  }
  return times;
}

/** Without the slowest tenth: the machine has other things to do. */
function trimmed(times: number[]): number[] {
  return times.sort((a, b) => a - b).slice(0, Math.floor(times.length * 0.9));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function welch(a: readonly number[], b: readonly number[]): number {
  const spread = (values: readonly number[]) => {
    const middle = mean(values);
    return (
      values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1) / values.length
    );
  };
  return (mean(a) - mean(b)) / Math.sqrt(spread(a) + spread(b));
}
