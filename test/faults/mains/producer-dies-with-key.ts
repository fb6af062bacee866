import { randomUUID } from 'node:crypto';
import { makeCall, uuidV7From } from '@jetbeat/core';
import { connectBus, silentLog, takeKey } from '@jetbeat/jetstream';

// A producer that dies between its key and its job: the client's first step, and nothing of its second.
const now = Date.now();
const bus = await connectBus({
  servers: process.env['JETBEAT_NATS_URL'] ?? '',
  name: 'dies',
  log: silentLog,
});
const { envelope, unique } = await makeCall({
  task: 'unique.hold',
  input: { gate: '' },
  options: { uniqueKey: process.argv[2] ?? '' },
  id: uuidV7From(now, randomUUID()),
  now,
});
if (!unique) throw new Error('it has no key');
await takeKey(bus, { ask: unique, job: envelope, now });
process.kill(process.pid, 'SIGKILL');
