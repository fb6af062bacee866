import { expect, test } from 'vitest';
import { type Progress, ReportLines } from './report-lines.ts';

function read(...chunks: string[]) {
  const progress: Progress[] = [];
  const lines = new ReportLines((each) => progress.push(each));
  for (const chunk of chunks) lines.push(Buffer.from(chunk));
  lines.end();
  return { progress, result: lines.result, problem: lines.problem };
}

test('lines are read whole, wherever they were cut, the last one also without its end', () => {
  expect(
    read('{"progr', 'ess": 5}\n{"progress":50,"note":"hé', 'lf"}\r\n\n', '{"result":{"a":[1]}}'),
  ).toEqual({
    progress: [{ value: 5 }, { value: 50, note: 'hélf' }],
    result: { a: [1] },
    problem: undefined,
  });
});

test('a character may be cut too, and the last result counts', () => {
  const bytes = Buffer.from('{"result":1}\n{"result":"é"}\n');
  const lines = new ReportLines(() => undefined);
  for (const byte of bytes) lines.push(Buffer.from([byte]));
  lines.end();
  expect([lines.result, lines.problem]).toEqual(['é', undefined]);
});

test.each([
  ['nonsense', 'line 1 is no JSON'],
  ['{"progress":1}\n[]', 'line 2 is no JSON object'],
  ['null', 'line 1 is no JSON object'],
  ['{}', 'line 1 has neither "progress" nor "result"'],
  ['{"reslut":1}', 'line 1 has the unknown field "reslut"'],
  ['{"progress":101}', 'line 1 has a progress that is no number from 0 to 100'],
  ['{"progress":"50"}', 'line 1 has a progress that is no number from 0 to 100'],
  ['{"progress":1,"note":2}', 'line 1 has a note that is no text'],
  [`{"result":"${'x'.repeat(1_048_576)}"}`, 'line 1 is longer than 1048576 bytes'],
])('%.40s: %s', (text, problem) => {
  expect(read(text).problem).toBe(problem);
});

test('after a wrong line the others still count', () => {
  expect(read(`${'x'.repeat(2_000_000)}\n{"result":1}\nx\n`)).toEqual({
    progress: [],
    result: 1,
    problem: 'line 1 is longer than 1048576 bytes',
  });
});
