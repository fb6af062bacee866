import { headers, type Msg } from '@nats-io/nats-core';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { natsUrl, testNamespace } from '../../../../test/support/nats.ts';
import { headerFinder } from './header-block.ts';

let nc: NatsConnection;
beforeAll(async () => {
  nc = await connect({ servers: natsUrl() });
});
afterAll(() => nc?.close());

test('a header is found by its name in what the client received, and in what it took apart', async () => {
  const subject = testNamespace();
  const { promise, resolve } = Promise.withResolvers<Msg>();
  nc.subscribe(subject, { callback: (_error, message) => resolve(message) });
  const sent = headers();
  sent.append('Nats-Msg-Id', 'a traceparent: no header of its own, ü');
  sent.append('Jetbeat-Repeat', '1');
  nc.publish(subject, new TextEncoder().encode('\r\nNats-Scheduler: in the body'), { headers: sent });
  const message = await promise;
  const plain = { headers: message.headers } as Msg;
  for (const has of [headerFinder(message), headerFinder(plain)]) {
    expect(
      ['Nats-Msg-Id', 'Jetbeat-Repeat', 'traceparent', 'Nats-Scheduler', 'jetbeat-repeat'].map(has),
    ).toEqual([...[true, true, false, false, false]]);
  }
});

test('a message without headers has none', async () => {
  const subject = testNamespace();
  const { promise, resolve } = Promise.withResolvers<Msg>();
  nc.subscribe(subject, { callback: (_error, message) => resolve(message) });
  nc.publish(subject, new TextEncoder().encode('\r\ntraceparent: x'));
  const message = await promise;
  expect([headerFinder(message)('traceparent'), headerFinder({} as Msg)('traceparent')]).toEqual([
    false,
    false,
  ]);
});
