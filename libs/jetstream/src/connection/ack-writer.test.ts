import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace } from '../../../../test/support/nats.ts';
import { AckWriter } from './ack-writer.ts';

let nc: NatsConnection;
beforeAll(async () => {
  nc = await connect({ servers: natsUrl() });
});
afterAll(() => nc?.close());

async function received(send: (subject: string) => Promise<void>): Promise<string[]> {
  const subject = testNamespace();
  const got: string[] = [];
  const subscription = nc.subscribe(`${subject}.*`, {
    callback: (_error, message) => {
      got.push(`${message.subject.slice(subject.length + 1)} ${message.string()}`);
    },
  });
  await send(subject);
  await nc.flush();
  subscription.unsubscribe();
  return got;
}

test('acknowledgements leave in their order, before what is published after a flush', async () => {
  const writer = new AckWriter(nc);
  const got = await received(async (subject) => {
    for (let place = 0; place < 2_000; place++) writer.send(`${subject}.${place}`);
    writer.flush();
    nc.publish(`${subject}.after`);
    writer.send(`${subject}.last`);
    await Promise.resolve();
  });
  expect(got).toEqual([
    ...Array.from({ length: 2_000 }, (_, place) => `${place} +ACK`),
    'after ',
    'last +ACK',
  ]);
});

test('a client without the way in publishes them', async () => {
  const plain = { publish: nc.publish.bind(nc), isClosed: () => false } as unknown as NatsConnection;
  const writer = new AckWriter(plain);
  expect(
    await received(async (subject) => {
      writer.send(`${subject}.1`);
      writer.flush();
    }),
  ).toEqual(['1 +ACK']);
});
