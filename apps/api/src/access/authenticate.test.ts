import { askedBy } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createTestServer } from '../test-server.ts';

test('what a request asks of the servers is asked for its caller, also after its body was read', async () => {
  const server = await createTestServer();
  const seen: (string | undefined)[] = [];
  server.use({
    async fleet() {
      seen.push(askedBy());
      return { tasks: new Map(), served: new Map() };
    },
  });
  for (const input of ['x'.repeat(100_000), 1]) {
    const { status } = await server.call('POST /jobs', { task: 'a.b', input });
    expect(status).toBe(202);
  }
  expect(seen).toEqual(['key admin', 'key admin']);
  expect(askedBy()).toBeUndefined();
  await server.app.close();
});
