import { expect, test } from 'vitest';
import { createJudge } from './judge-answer.ts';
import { type Description, operationsOf } from './operation.ts';

const made = {
  headers: {
    Location: { $ref: '#/components/headers/Location' },
    RateLimit: { $ref: '#/components/headers/RateLimit' },
  },
  content: { 'application/json': { schema: { type: 'object' } } },
};
const description: Description = {
  paths: { '/things': { post: { operationId: 'make', responses: { 201: made } } } },
  components: { schemas: {}, headers: { Location: { required: true }, RateLimit: { required: false } } },
};
const [operation] = operationsOf(description);

test('an answer without a header that the description says it has is not as described', () => {
  if (!operation) throw new Error('no operation');
  const judge = createJudge({});
  const request = { operation, method: 'POST', path: '/things', headers: {} };
  const answer = { status: 201, type: 'application/json', body: '{}', took: 1, isStream: false };
  const common = { 'x-content-type-options': 'nosniff' };
  expect(judge(request, { ...answer, headers: { ...common, location: '/things/1' } })).toBeUndefined();
  expect(judge(request, { ...answer, headers: common })).toBe('201 is without its header location');
});
