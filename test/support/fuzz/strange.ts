import fc from 'fast-check';

/** Texts that have broken programs before: SQL, shells, pages, logs, paths, prototypes, subjects of NATS, Unicode. */
export const STRANGE_TEXTS: readonly string[] = [
  '',
  ' ',
  "'",
  "' or '1'='1",
  "'; drop table job; --",
  '" or ""="',
  '1); select pg_sleep(10)--',
  "\\'; select 1 --",
  '%',
  '_%',
  '%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%a',
  '$1',
  '$(touch /tmp/x)',
  '`id`',
  '; reboot',
  '| cat /etc/passwd',
  '--help',
  '-o',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  'javascript:alert(1)',
  '{{7*7}}',
  '$' + '{7*7}',
  '%s%s%s%n',
  'a\r\nSet-Cookie: x=y',
  'a\nlevel=fatal msg="forged"',
  '\u001b[31mred\u001b[0m',
  '\u001b]0;title\u0007',
  '../../../../etc/passwd',
  '..\\..\\windows',
  'file:///etc/passwd',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '*',
  '>',
  'a.>',
  '$JS.API.STREAM.DELETE.JOBS',
  '_INBOX.x',
  'a b',
  'null',
  'true',
  'NaN',
  '-1',
  '1e999',
  '9007199254740993',
  '0x10',
  '٣',
  '１２',
  'é',
  'e\u0301',
  '\u202Egnp.exe',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\ufeff',
  '\u2028',
  '👩‍👩‍👧‍👦',
  'ﷺ'.repeat(50),
  'a'.repeat(129),
  'a'.repeat(10_000),
  '=cmd|calc',
  '2026-02-30T00:00:00Z',
  '0000-00-00T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '2026-01-01T00:00:00+99:99',
  '999999999999d',
  '0.0000001ms',
  '60 25 32 13 8',
  '* * 31 2 *',
  '* * * * * *',
  'Europe/Berln',
  'PST8PDT',
  'Etc/GMT+12',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
];

/** Values that are seldom right where they stand. */
export const strangeValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...STRANGE_TEXTS) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      ...[null, true, false, 0, -0, -1, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 31, 5e-324],
      ...[[], {}, [[]], [{}], [null], { a: { b: { c: {} } } }],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200 }).map(nested) },
);

function nested(levels: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Bodies that are no JSON, or JSON that is read differently by different programs. */
export const strangeBody: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      'nul',
      '{"a":}',
      "{'a':1}",
      '{"a":1,}',
      '\ufeff{}',
      '{}{}',
      '""',
      '0',
      'null',
      '[]',
      ' ',
    ],
    ...[
      'NaN',
      'Infinity',
      '1e999',
      '{"a":9007199254740993}',
      '"\\ud800"',
      '{"input":"\\u0000"}',
      '{"\\u0000":1}',
    ],
    ...[
      '{"__proto__":{"admin":true}}',
      '{"constructor":{"prototype":{"admin":true}}}',
      '{"task":"a","task":"b"}',
    ],
    ...['{"task":"system.echo","input":{"a":1,"a":2}}', '{"task":"system.echo","input":{"__proto__":null}}'],
    ...[
      'a=b&c=d',
      '<xml/>',
      '--boundary\r\n',
      `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
      '['.repeat(100_000),
    ],
  ),
  fc.constantFrom(9_999, 10_000, 10_001).map(manyKeys),
  fc.string({ unit: 'binary', maxLength: 60 }),
);

function manyKeys(count: number): string {
  const keys = Array.from({ length: count }, (_, at) => `"k${at}":1`);
  return `{"task":"system.echo","input":{${keys.join(',')}}}`;
}
