import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ownPort } from '../../test/support/ports.ts';
import { checkPorts } from './check-ports.ts';
import { asksForHelp, parseStart, portsOf, usage } from './options.ts';

const at = { root: '/project', from: '/home/me' };

test('without flags the documented ports and folder are used', () => {
  const options = parseStart({ args: [], ...at });
  expect(options.dataDir).toBe('/project/.jetbeat');
  expect(options.demo).toBe(true);
  expect(portsOf(options).map(({ port }) => port)).toEqual([7420, 7421, 7422, 7423, 7432, 7438, 7442]);
});

test('every flag is read, and a folder is meant from where the user stands', () => {
  const args =
    '--port 1 --health-port 2 --nats-port 5 --monitor-port 6 --postgres-port 7 --data here --no-demo';
  const options = parseStart({ args: args.split(' '), ...at });
  expect(options).toMatchObject({ dataDir: '/home/me/here', demo: false });
  expect(portsOf(options).map(({ port }) => port)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('an unknown flag and a value that is no port are refused by name', () => {
  expect(() => parseStart({ args: ['--prot', '1'], ...at })).toThrow(/--prot/);
  for (const value of ['0', '65536', '7a', '-1', '1.5', '']) {
    expect(() => parseStart({ args: [`--nats-port=${value}`], ...at })).toThrow(/--nats-port .*whole number/);
  }
});

test('help is asked for by either name, and names every flag that is read', () => {
  expect([['--help'], ['--port', '1', '-h'], ['--port', '1']].map(asksForHelp)).toEqual([true, true, false]);
  for (const flag of ['--data', ...portsOf(parseStart({ args: [], ...at })).map(({ flag }) => flag)]) {
    expect(usage).toContain(`\n  ${flag} `);
  }
});

test('a port in use is named with who needs it and the flag that changes it', async () => {
  const port = await ownPort();
  const holder = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void holder.close());
  await new Promise((listening) => holder.once('listening', listening));
  const free = await ownPort();
  const api = { port, who: 'the API', flag: '--port' };
  await expect(checkPorts([api])).rejects.toThrow(
    `Port ${port} of 127.0.0.1 is in use, and the API needs it; choose another with --port N.`,
  );
  const twice = [
    { port: free, who: 'NATS', flag: '--nats-port' },
    { port: free, who: 'PostgreSQL', flag: '--postgres-port' },
  ];
  await expect(checkPorts(twice)).rejects.toThrow(/wanted by NATS .* and by PostgreSQL/);
  await expect(checkPorts([{ ...api, port: free }])).resolves.toBeUndefined();
});
