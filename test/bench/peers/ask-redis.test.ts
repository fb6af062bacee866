import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { askRedis, readAnswer } from './ask-redis.ts';

test.each([
  [':42\r\n', { value: '42' }],
  ['+PONG\r\n', { value: 'PONG' }],
  ['$3\r\n150\r\n', { value: '150' }],
  ['$-1\r\n', { value: undefined }],
  ['-ERR unknown command\r\n', { error: 'ERR unknown command' }],
  ['*1\r\n:1\r\n', { error: 'an answer of a kind not known here: *1' }],
  ['$5\r\nab', 'more'],
  [':4', 'more'],
])('%j of Redis is read as %j', (text, answer) => {
  expect(readAnswer(text)).toEqual(answer);
});

test('an answer may come in pieces, and a closed connection is an error', async () => {
  const commands: string[] = [];
  const server = createServer((socket: Socket) => {
    socket.setEncoding('utf8').once('data', (command: string) => {
      commands.push(command);
      if (command.startsWith('GET')) socket.write('$4\r\n1', () => socket.write('234\r\n'));
      else socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  try {
    expect(await askRedis(`redis://127.0.0.1:${port}`, 'GET a')).toBe('1234');
    await expect(askRedis(`redis://127.0.0.1:${port}`, 'LLEN b')).rejects.toThrow('closed the connection');
    expect(commands).toEqual(['GET a\r\n', 'LLEN b\r\n']);
  } finally {
    server.close();
    await once(server, 'close');
  }
});
