import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { needPolicy } from './route-policy.ts';

const handler = async () => 'x';

test.each([
  [{}, 'role'],
  [{ scope: 'none' as const }, 'role'],
  [{ role: 'viewer' as const }, 'scope'],
])('a route with the policy %j does not start: its %s is missing', (config, missing) => {
  const app = Fastify();
  needPolicy(app);
  expect(() => app.get('/things', { config }, handler)).toThrow(`GET /things names no ${missing}`);
  expect(() => app.get('/others', handler)).toThrow('names no role');
});

test('with both it does, and its description tells them', async () => {
  const app = Fastify();
  const told: unknown[] = [];
  needPolicy(app);
  app.addHook('onRoute', ({ schema }) => void told.push(schema));
  app.get('/things', { config: { role: 'viewer', scope: 'none' } }, handler);
  expect(told).toContainEqual(
    expect.objectContaining({ 'x-jetbeat-role': 'viewer', 'x-jetbeat-scope': 'none' }),
  );
  expect((await app.inject('/things')).statusCode).toBe(200);
  await app.close();
});
