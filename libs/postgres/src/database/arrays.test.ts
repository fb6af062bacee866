import { uuidV7 } from '@jetbeat/core';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type ColumnType, toArray } from './arrays.ts';
import { type Database, inside } from './database.ts';
import { ms } from './sql.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('arrays-test');
  db = made.db;
  return made.drop;
});

/** What PostgreSQL reads of an array. */
async function read(type: ColumnType, values: readonly unknown[]): Promise<unknown[]> {
  const value = {
    int8: 'x::float8',
    timestamptz: ms('x'),
    int4: 'x',
    bool: 'x',
    text: 'x',
    uuid: 'x',
    jsonb: 'x',
  };
  const rows = await inside(db).rows<{ value: unknown }>(
    `select ${value[type]} as value from unnest($1::${type}[]) as x`,
    [toArray(type, values)],
  );
  return rows.map((row) => row.value);
}

const times = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
const kinds: Record<ColumnType, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int4: fc.integer(),
  int8: fc.maxSafeInteger(),
  text: fc
    .string({ unit: 'grapheme', maxLength: 100 })
    .filter((text) => text.isWellFormed() && !text.includes('\0')),
  timestamptz: times,
  uuid: fc
    .tuple(fc.nat(2 ** 40), fc.uint8Array({ minLength: 10, maxLength: 10 }))
    .map(([at, random]) => uuidV7(at, random)),
  jsonb: fc.oneof(fc.record({ a: fc.integer() }), fc.constant('text'), fc.boolean(), fc.array(fc.nat())),
};

test.each(Object.keys(kinds) as ColumnType[])(
  'PostgreSQL reads an array of %s as it was meant',
  async (type) => {
    const values = fc.array(fc.option(kinds[type], { nil: undefined }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(values, async (given) => {
        const all = given.every((value) => value === undefined);
        expect(await read(type, given)).toEqual(all ? [] : given.map((value) => value ?? null));
      }),
      { numRuns: 40 },
    );
  },
);

test('what text and jsonb cannot hold becomes U+FFFD', async () => {
  const strange = 'a\0b \ud83d c';
  const long = `${strange}${'x'.repeat(100)}`;
  expect(await read('text', [strange, long])).toEqual(
    [strange, long].map((text) => text.replace(/[\0\ud83d]/g, '\ufffd')),
  );
  expect(await read('jsonb', [{ strange }])).toEqual([{ strange: 'a\ufffdb \ufffd c' }]);
});

test('a time is kept to the microsecond, as far as PostgreSQL and JavaScript have times', async () => {
  const given = [0.25, -1, Date.UTC(2026, 0, 1), 253_402_300_799_999, Date.UTC(2000, 0, 1)];
  expect(await read('timestamptz', given)).toEqual(given);
});

const unfit: [ColumnType, unknown][] = [
  ['int4', 2 ** 31],
  ['int4', 0.5],
  ['int4', 'x'],
  ['int8', 2 ** 60],
  ['int8', Number.NaN],
  ['timestamptz', Number.NaN],
  ['timestamptz', 1e16],
  ['uuid', 'x'],
  ['uuid', '019a0000-0000-7000-8000-00000000000g'],
  ['uuid', '019a0000-0000-7000-8000-0000000000001'],
];
test.each(unfit)('a value that is no %s is refused: %s', (type, value) => {
  expect(() => toArray(type, [value])).toThrow(expect.objectContaining({ code: 'unfit_value' }));
});
