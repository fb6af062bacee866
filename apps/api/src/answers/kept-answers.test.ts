import type { Claimed, KeptAnswer } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createKeptAnswers, type OwnRequest } from './kept-answers.ts';

const ONE = { caller: 'a', key: 'k', asked: 'x' };
const ANSWER = { status: 202, headers: {}, body: '{}' };

/** One row of PostgreSQL, of which a lease is never over; writing it may fail or hang. */
function create() {
  const row: { claim?: string; answer?: KeptAnswer } = {};
  const writing = { act: async () => {} };
  const claiming = { act: async () => {} };
  const warned: unknown[] = [];
  const process = () =>
    createKeptAnswers({
      async claim({ claim, over }): Promise<Claimed> {
        if (row.answer) return { is: 'answered', answer: row.answer };
        if (row.claim !== undefined && row.claim !== over)
          return { is: 'busy', claim: row.claim, forMs: 60_000 };
        const again = row.claim !== undefined;
        row.claim = claim;
        await claiming.act();
        return { is: 'mine', at: 1, again };
      },
      async keep({ answer }) {
        await writing.act();
        row.answer = answer;
      },
      async drop() {
        await writing.act();
        delete row.claim;
      },
      log: { warn: (...given: unknown[]) => void warned.push(given) },
    });
  return { process, row, claiming, writing, warned };
}

test('an answer that PostgreSQL did not take holds up no repeat here, and one elsewhere until the lease is over', async () => {
  const { process, writing, warned } = create();
  const [here, elsewhere] = [process(), process()];
  const own = (await here.claim(ONE)) as OwnRequest;
  expect(own).toMatchObject({ caller: 'a', key: 'k', at: 1, again: false });
  writing.act = () => Promise.reject(new Error('gone'));
  await here.settle(own, ANSWER);
  writing.act = async () => {};
  expect(warned).toHaveLength(1);
  expect(await elsewhere.claim(ONE)).toMatchObject({ is: 'busy' });
  const again = (await here.claim(ONE)) as OwnRequest;
  expect(again).toMatchObject({ again: true });
  expect(await here.claim(ONE)).toMatchObject({ is: 'busy' });
  await here.settle(again, ANSWER);
  expect(await elsewhere.claim(ONE)).toEqual({ is: 'answered', answer: ANSWER });
});

test('nor does a claim of which PostgreSQL has not said whether it is written', async () => {
  const { process, claiming } = create();
  const answers = process();
  claiming.act = () => Promise.reject(new Error('gone'));
  await expect(answers.claim(ONE)).rejects.toThrow('gone');
  claiming.act = async () => {};
  expect(await answers.claim(ONE)).toMatchObject({ again: true });
});

test('without an answer the next one is carried out; one that is not kept within a second is given all the same', async () => {
  const { process, row, writing } = create();
  const answers = process();
  await answers.settle((await answers.claim(ONE)) as OwnRequest, undefined);
  const own = (await answers.claim(ONE)) as OwnRequest;
  expect(own).toMatchObject({ again: false });
  const gate = Promise.withResolvers<void>();
  writing.act = () => gate.promise;
  await answers.settle(own, ANSWER);
  expect(row.answer).toBeUndefined();
  gate.resolve();
});
