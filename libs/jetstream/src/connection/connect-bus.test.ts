import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tieToThisProcess } from '@jetbeat/infra/dev';
import { expect, test } from 'vitest';
import { natsUrl } from '../../../../test/support/nats.ts';
import { ownPort } from '../../../../test/support/ports.ts';
import { ensureTopology } from '../streams/topology.ts';
import { connectBus } from './connect-bus.ts';

test('a server that is not there is named, without its password', async () => {
  const failed = connectBus({ servers: 'nats://me:secret@127.0.0.1:9', name: 'test', connectTimeoutMs: 500 });
  await expect(failed).rejects.toMatchObject({
    code: 'nats_unreachable',
    message: expect.stringContaining('127.0.0.1:9'),
  });
  await expect(failed).rejects.not.toThrow(/secret/);
});

test('a name that cannot be a namespace, and a file that is not there, are said so', async () => {
  const servers = natsUrl();
  await expect(connectBus({ servers, name: 'test', namespace: 'a.b' })).rejects.toMatchObject({
    code: 'invalid_input',
  });
  await expect(connectBus({ servers, name: 'test', credsFile: '/no/such/file' })).rejects.toMatchObject({
    code: 'nats_unreachable',
  });
});

test('user and password come from the address; wrong ones, and a server without JetStream, are said so', async () => {
  const port = await ownPort();
  const args = ['-a', '127.0.0.1', '-p', `${port}`, '--user', 'me', '--pass', 's:%cret'];
  const server = spawn(process.env.JETBEAT_TEST_NATS_BIN ?? 'nats-server', args, { stdio: 'ignore' });
  if (server.pid !== undefined) tieToThisProcess(server.pid, once(server, 'exit'));
  try {
    const servers = `nats://me:${encodeURIComponent('s:%cret')}@127.0.0.1:${port}`;
    const bus = await connectBus({ servers, name: 'test', callTimeoutMs: 300 });
    expect(await bus.rtt()).toBeGreaterThanOrEqual(0);
    await expect(ensureTopology(bus, { queues: [], ackWaitMs: 1_000 })).rejects.toMatchObject({
      code: 'nats_unfit',
      message: expect.stringContaining('-js'),
    });
    await bus.close();
    for (const wrong of ['me:wrong@', '']) {
      const failed = connectBus({ servers: `nats://${wrong}127.0.0.1:${port}`, name: 'test' });
      await expect(failed).rejects.toMatchObject({
        code: 'nats_unreachable',
        message: expect.stringContaining('credentials'),
      });
    }
  } finally {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
});
