import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { openDatabase } from './open.ts';

let made: TestDatabase;
beforeAll(async () => {
  made = await createTestDatabase();
});
afterAll(() => made?.drop());

/** A request of the server for authentication: https://www.postgresql.org/docs/18/protocol-message-formats.html */
function askForPassword(code: number, body: string): Buffer {
  const message = Buffer.alloc(9);
  message.write('R');
  message.writeInt32BE(8 + body.length, 1);
  message.writeInt32BE(code, 5);
  return Buffer.concat([message, Buffer.from(body)]);
}

/** What is said to whoever opens the database with another address. */
async function refusal(change: (url: URL) => void): Promise<string> {
  const url = new URL(made.url);
  change(url);
  const db = await openDatabase({ url: url.href, applicationName: 'errors-test' });
  const error: unknown = await db.ping().catch((thrown: unknown) => thrown);
  await db.close();
  expect(error).toMatchObject({ code: 'database_unavailable' });
  return (error as Error).message;
}

test('no password: which setting is to have one', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(askForPassword(10, 'SCRAM-SHA-256\0\0'));
      socket.once('data', () => socket.write(askForPassword(11, 'r=x,s=x,i=4096')));
    });
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const message = await refusal((url) => {
    url.password = '';
    url.port = String(port);
  });
  expect(message).toBe(
    'PostgreSQL asks for a password, and its address has none: set JETBEAT_DATABASE_URL to postgres://user:password@host:port/database',
  );
  // The driver leaves the connection open, and a real server would keep it for a minute.
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('a wrong password and a database that is not there: PostgreSQL answered, and refused', async () => {
  const wrong = await refusal((url) => {
    url.password = 'wrong';
  });
  expect(wrong).toMatch(/^PostgreSQL refuses the connection: password .*; check JETBEAT_DATABASE_URL$/);
  const missing = await refusal((url) => {
    url.pathname = '/nowhere';
  });
  expect(missing).toBe(
    'PostgreSQL refuses the connection: database "nowhere" does not exist; check JETBEAT_DATABASE_URL',
  );
});
