import { randomBytes } from 'node:crypto';

/** A namespace that nobody else uses, so that test files share one nats-server. */
export function testNamespace(): string {
  return `t${randomBytes(6).toString('hex')}`;
}

/** The address of the nats-server that the test run started. */
export function natsUrl(): string {
  const url = process.env.JETBEAT_TEST_NATS_URL;
  if (!url)
    throw new Error(
      'JETBEAT_TEST_NATS_URL is not set: run the tests with vitest from the root, which starts the servers',
    );
  return url;
}

/** What a test passes to `ensureTopology` besides its queues: EVENTS small, since the server reserves its bound at once. */
export const testTopology = { ackWaitMs: 30_000, eventsMaxBytes: 32 * 1024 ** 2 } as const;
