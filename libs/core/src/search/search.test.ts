import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InvalidInputError } from '../errors.ts';
import { parseSearch, type SearchTerm } from './search.ts';

const ID = '01998e7c-1111-7222-8333-444455556666';

test('terms are read with their alternatives, patterns and paths', () => {
  expect(parseSearch('  state:dead,expired queue:mail task:send*,report.send ')).toEqual([
    { on: 'state', values: ['dead', 'expired'] },
    { on: 'queue', values: [['mail']] },
    { on: 'task', values: [['send', ''], ['report.send']] },
  ] satisfies SearchTerm[]);
  expect(parseSearch(`schedule:eu/nightly reason:a*b* error:timeout id:${ID.toUpperCase()}`)).toEqual([
    { on: 'schedule', values: [['eu/nightly']] },
    { on: 'reason', values: [['a', 'b', '']] },
    { on: 'error', values: [['timeout']] },
    { on: 'id', values: [ID] },
  ] satisfies SearchTerm[]);
  expect(parseSearch('by:"team mail",4f9c*')).toEqual([
    { on: 'by', values: [['team mail'], ['4f9c', '']] },
  ] satisfies SearchTerm[]);
  expect(parseSearch('input.user.id:42 input.items.0.sku:"a b",c meta.app.tenant:x')).toEqual([
    { on: 'input', path: ['user', 'id'], values: [['42']] },
    { on: 'input', path: ['items', '0', 'sku'], values: [['a b'], ['c']] },
    { on: 'meta', name: 'app.tenant', values: [['x']] },
  ] satisfies SearchTerm[]);
});

test('in quotes everything is meant as it stands', () => {
  expect(parseSearch(String.raw`input."a.b"."c:d":"x,*\"\\ y"* "two words" ""`)).toEqual([
    { on: 'input', path: ['a.b', 'c:d'], values: [['x,*"\\ y', '']] },
    { on: 'word', value: ['two words'] },
    { on: 'word', value: [''] },
  ]);
  expect(parseSearch('input.note:""')).toEqual([{ on: 'input', path: ['note'], values: [['']] }]);
});

test('a word is an id where it is a whole one', () => {
  expect(parseSearch(`${ID} send* 0199`)).toEqual([
    { on: 'id', values: [ID] },
    { on: 'word', value: ['send', ''] },
    { on: 'word', value: ['0199'] },
  ]);
  expect(parseSearch(' \t\n')).toEqual([]);
});

test('the same qualifier again gives alternatives; of what has many values all must hold', () => {
  expect(parseSearch('state:dead task:a state:queued task:b error:x error:y worker:v worker:w')).toEqual([
    { on: 'state', values: ['dead', 'queued'] },
    { on: 'task', values: [['a'], ['b']] },
    { on: 'error', values: [['x']] },
    { on: 'error', values: [['y']] },
    { on: 'worker', values: [['v']] },
    { on: 'worker', values: [['w']] },
  ]);
});

test.each([
  ['stat:dead', 'unknown_qualifier', '"stat:" is no qualifier of a search, did you mean "state:"?', 'state'],
  ['inputs.user:1', 'unknown_qualifier', 'did you mean "input.user:"?', 'input.user'],
  ['state.x:dead', 'unknown_qualifier', '"state.x:" is no qualifier', 'state'],
  ['http://x', 'unknown_qualifier', 'a word with a colon in it is put in double quotes', undefined],
  [':x', 'unknown_qualifier', '":" is no qualifier', undefined],
  ['state:dead OR state:expired', 'unknown_operator', 'parted by commas: state:dead,expired', undefined],
  ['a || b', 'unknown_operator', 'parted by commas', undefined],
  ['mail and send', 'unknown_operator', 'all terms of a search must hold anyway: leave it out', undefined],
  ['NOT mail', 'unknown_operator', 'a search leaves nothing out', undefined],
  ['-queue:mail', 'unknown_operator', '"-queue:mail": a search leaves nothing out', undefined],
  ['!mail', 'unknown_operator', 'is put in double quotes', undefined],
  ['queue:!mail', 'unknown_operator', 'a search leaves nothing out', undefined],
  ['(state:dead', 'unknown_operator', 'a search has no parentheses', undefined],
  ['queue:(a', 'unknown_operator', 'a search has no parentheses', undefined],
  ['mail)', 'unknown_operator', 'a search has no parentheses', undefined],
  ['input.n:>=3', 'unknown_operator', 'a search compares no numbers and times', undefined],
  ['input.n:1..5', 'unknown_operator', 'for times there are `from` and `to`', undefined],
  ['state=dead', 'unknown_operator', 'did you mean state:dead?', 'state:dead'],
  ['attempts>3', 'unknown_operator', 'a word is looked for in names of tasks and in ids', undefined],
  ["'two", 'unknown_operator', 'error:… finds it in errors', undefined],
  ['queue:a|b', 'unknown_operator', 'did you mean queue:a,b?', 'queue:a,b'],
  ['state:queued||dead', 'unknown_operator', 'did you mean state:queued,dead?', 'state:queued,dead'],
  ['task:a;b.c', 'unknown_operator', 'did you mean task:a,b.c?', 'task:a,b.c'],
  ['queue:|', 'unknown_operator', 'parted by commas', undefined],
  ['queue:-mail', 'unknown_operator', '"queue:-mail": a search leaves nothing out', undefined],
  ['state:queued,-dead', 'unknown_operator', 'a search leaves nothing out', undefined],
  ["task:'x'", 'unknown_operator', 'did you mean task:x?', 'task:x'],
  ["input.user:'bob'", 'unknown_operator', 'did you mean input.user:bob?', 'input.user:bob'],
  ['state:queued,state:dead', 'unknown_operator', 'state:queued,dead?', 'state:queued,dead'],
  ['error:a,error:b', 'unknown_operator', 'did you mean error:a,b?', 'error:a,b'],
  ['task:send%', 'unknown_operator', '* stands for any characters', undefined],
  ['queue:a+b', 'unknown_operator', 'no queue can have this in its name', undefined],
  ['schedule:eu\\x', 'unknown_operator', 'no schedule can have this in its name', undefined],
  ['state:ded', 'invalid_value', '"ded" is no state, did you mean "dead"?', 'dead'],
  ['state:FAILURE', 'invalid_value', '"FAILURE" is no state, did you mean "dead"?', 'dead'],
  ['state:zzzzzzzzzzzzz', 'invalid_value', '"zzzzzzzzzzzzz" is no state; states are scheduled', undefined],
  ['id:42', 'invalid_value', '"42" is no id', undefined],
  ['queue:', 'invalid_value', 'a value is missing behind "queue:"', undefined],
  ['queue:a,', 'invalid_value', 'a value is missing behind "queue:"', undefined],
  ['"open', 'invalid_value', 'a double quote is not closed', undefined],
  ['input:42', 'invalid_value', 'name a place in the input', undefined],
  ['input..id:42', 'invalid_value', 'name a place in the input', undefined],
  ['meta.ä:1', 'invalid_value', 'name a note', undefined],
  ['task:a*b*c*d*e*f', 'invalid_value', '"task" has more than 4', undefined],
  [`task:${'a,'.repeat(16)}a`, 'invalid_value', 'a term has at most 16 values', undefined],
  [`input${'.a'.repeat(17)}:1`, 'invalid_value', 'a path has at most 16 steps', undefined],
  ['a '.repeat(17), 'invalid_value', 'a search has at most 16 terms', undefined],
  ['a'.repeat(513), 'invalid_value', 'a search has at most 512 characters', undefined],
])('%s is refused with what to do', (text, code, message, suggestion) => {
  const issue = refused(text)[0];
  expect(issue).toMatchObject({ pointer: '?search', code });
  expect(issue?.message).toContain(message.replace('"task" has', 'has'));
  expect(issue?.suggestion).toBe(suggestion);
});

test('what another language would have for operators is a text in double quotes, and within one', () => {
  expect(parseSearch('"OR" "-x" "(a)" a-b x_1.* "a=b"')).toEqual(
    [['OR'], ['-x'], ['(a)'], ['a-b'], ['x_1.', ''], ['a=b']].map((value) => ({ on: 'word', value })),
  );
  expect(parseSearch(String.raw`error:<anonymous> error:f() input.n:"\">3" input.a:b>3 input.v:1.2`)).toEqual(
    [
      { on: 'error', values: [['<anonymous>']] },
      { on: 'error', values: [['f()']] },
      { on: 'input', path: ['n'], values: [['">3']] },
      { on: 'input', path: ['a'], values: [['b>3']] },
      { on: 'input', path: ['v'], values: [['1.2']] },
    ],
  );
});

test.each([
  ['queue:"-mail"', ['-mail']],
  ['queue:"a|b"', ['a|b']],
  ['task:a-b,c_1.*', ['a-b']],
  ['schedule:eu/nightly', ['eu/nightly']],
  ['by:-x', ['-x']],
  ['worker:-x', ['-x']],
  ['input.n:-5', ['-5']],
  ['input.url:http://x', ['http://x']],
  ['input.rule:a|b', ['a|b']],
  ["input.name:O'Brien", ["O'Brien"]],
  ['input.name:"\'bob\'"', ["'bob'"]],
  ["error:'x'", ["'x'"]],
  ['error:a|b', ['a|b']],
  ['error:a,TypeError:b', ['a']],
])('%s is a value as it stands', (text, first) => {
  expect(parseSearch(text)).toMatchObject([{ values: expect.arrayContaining([first]) }]);
});

test('an unknown qualifier beside a comparison is told too', () => {
  expect(refused('attempts:>3').map(({ code }) => code)).toEqual(['unknown_operator', 'unknown_qualifier']);
});

test('every wrong place is named once', () => {
  expect(refused('stat:dead "x').map(({ code }) => code)).toEqual(['invalid_value', 'unknown_qualifier']);
});

test('whatever is typed, it is read or refused with a place', () => {
  const pieces = fc.constantFrom(
    ...['state:', 'input.', 'meta.', 'a', '"', '\\', '*', ',', '.', ':', ' ', 'dead', 'id:', '\u0000', 'ß'],
  );
  const typed = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
  const check = (text: string) => {
    try {
      parseSearch(text);
    } catch (error) {
      return error instanceof InvalidInputError && error.issues.length > 0;
    }
    return true;
  };
  fc.assert(fc.property(typed, check), { numRuns: 1_000 });
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 600 }), check), { numRuns: 300 });
});

test('a text in quotes comes out as it went in', () => {
  const whole = (text: string) => {
    const quoted = `"${text.replace(/[\\"]/g, '\\$&')}"`;
    expect(parseSearch(`input.${quoted}:${quoted}`)).toEqual([
      { on: 'input', path: [text], values: [[text]] },
    ]);
  };
  fc.assert(fc.property(fc.string({ minLength: 1, maxLength: 100 }), whole));
});

function refused(text: string): InvalidInputError['issues'] {
  try {
    parseSearch(text);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.issues;
  }
  throw new Error(`it was read: ${text}`);
}
