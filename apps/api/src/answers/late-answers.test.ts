import { expect, test } from 'vitest';
import { ApiError } from '../problems/problem.ts';
import { NOW } from '../test-server.ts';
import { createOnceApp, testAnswers } from './answers.fixture.ts';
import { timedId } from './asked-id.ts';
import type { KeptAnswers } from './kept-answers.ts';

test('while a handler goes on whose time is over, the request is nobody else’s, and its ids stay those of its key', async () => {
  const answers = testAnswers();
  const { app, ask, reply } = createOnceApp(answers);
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const made = Promise.withResolvers<string>();
  app.post('/x', async (request) => {
    begun.resolve();
    await gate.promise;
    made.resolve(timedId(request, NOW)('x'));
    throw new Error('nobody hears of this');
  });
  const answer = ask('/x');
  await begun.promise;
  reply()?.send(new ApiError('timed_out', 'not in time'));
  expect((await answer).statusCode).toBe(500);
  expect(answers.settled).toEqual([]);
  gate.resolve();
  expect(await made.promise).toMatch(/^00000000-03e8-7/);
  await expect.poll(() => answers.settled).toEqual([undefined]);
  await app.close();
});

test('an answer that is late is not given twice, and what was late before it began is not begun', async () => {
  const answers = testAnswers();
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const wait = () => {
    reached.resolve();
    return gate.promise;
  };
  let late: Partial<KeptAnswers> = {};
  const { app, ask, reply } = createOnceApp({
    claim: (one) => (late.claim ?? answers.claim)(one),
    settle: (...given) => (late.settle ?? answers.settle)(...given),
  });
  let begun = 0;
  app.post('/x', async () => ++begun && 'done');

  late = { settle: wait };
  const first = ask('/x');
  await reached.promise;
  reply()?.send(new Error('late'));
  expect((await first).statusCode).toBe(500);
  gate.resolve();
  await gate.promise;
  expect(begun).toBe(1);

  const asking = Promise.withResolvers<void>();
  const claimed = Promise.withResolvers<void>();
  late = {
    async claim(one) {
      asking.resolve();
      await claimed.promise;
      return answers.claim(one);
    },
  };
  const second = ask('/x');
  await asking.promise;
  reply()?.send(new Error('late'));
  expect((await second).statusCode).toBe(500);
  claimed.resolve();
  await expect.poll(() => answers.settled).toEqual([undefined]);
  expect(begun).toBe(1);
  await app.close();
});
