import { expect, test } from 'vitest';
import { readEventStream, type StreamEvent } from './event-stream.ts';

const TEXT = [
  ...['retry: 2000', '', ': here', 'id: a.1', ''],
  ...['id: a.2.0', 'event: job.succeeded', 'data: {"note":"ünïcode 🙂"}', '', ''],
  ...['event: two', 'data: first', 'data:second', 'id', 'nothing: known', '', 'data', ''],
  ...['id: a.9', 'event: never', 'data: it ends before its end'],
].join('\n');

async function read(chunks: readonly Uint8Array[]) {
  const said: (string | number)[] = [];
  const events: StreamEvent[] = [];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const notes = {
    alive: () => {},
    at: (id: string) => void said.push(id),
    retry: (ms: number) => void said.push(ms),
  };
  for await (const event of readEventStream(body, notes)) events.push(event);
  return { events, said };
}

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test.each(['\n', '\r\n', '\r'])(
  'a stream is read the same wherever it is cut, with lines that end with %j',
  async (end) => {
    const bytes = new TextEncoder().encode(TEXT.replaceAll('\n', end));
    const whole = await read([bytes]);
    expect(whole.events).toEqual([
      { id: 'a.2.0', type: 'job.succeeded', data: '{"note":"ünïcode 🙂"}' },
      { id: '', type: 'two', data: 'first\nsecond' },
      { id: '', type: 'message', data: '' },
    ]);
    // A place counts without an event, and only once its event is whole.
    expect(whole.said.slice(0, 3)).toEqual([2000, 'a.1', 'a.2.0']);
    expect(whole.said).not.toContain('a.9');
    for (const size of [1, 2, 3, 7, 64]) expect(await read([...cut(bytes, size)])).toEqual(whole);
  },
);

test('a line without an end is given up', async () => {
  const endless = Array.from({ length: 17 }, () => new Uint8Array(1024 ** 2).fill(97));
  await expect(read(endless)).rejects.toThrow(RangeError);
});
