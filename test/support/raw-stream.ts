import { get, type IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';

/** A stream that is read, or not, as a test wants. */
export interface RawStream {
  /** What was read; events only by their types. */
  readonly types: readonly string[];
  /** Lines that begin with `id: `, in order. */
  readonly lastId: string;
  /** From now on it reads. */
  read(): void;
  /** Resolves when an event of this type has been read. */
  seen(type: string): Promise<void>;
  close(): void;
}

const MOST_REPEATS = 20;
const REPEAT_MS = 250;

/** Opens a stream and reads nothing of it until it is told to. Resolves with the beginning of the answer. */
export async function openRawStream(url: string, apiKey: string): Promise<RawStream> {
  let { request, response } = await open(url, apiKey);
  // The machine has other things to do: asking again is what is asked for.
  for (let left = MOST_REPEATS; response.statusCode === 503 && left > 0; left--) {
    request.destroy();
    await setTimeout(REPEAT_MS);
    ({ request, response } = await open(url, apiKey));
  }
  if (response.statusCode !== 200) throw new Error(`the stream was answered ${response.statusCode}`);
  const types: string[] = [];
  let lastId = '';
  let rest = '';
  let wake = Promise.withResolvers<void>();
  return {
    types,
    get lastId() {
      return lastId;
    },
    read() {
      response.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line.startsWith('event: ')) types.push(line.slice(7));
          if (line.startsWith('id: ')) lastId = line.slice(4);
        }
        wake.resolve();
        wake = Promise.withResolvers();
      });
    },
    async seen(type) {
      while (!types.includes(type)) await wake.promise;
    },
    close: () => request.destroy(),
  };
}

async function open(url: string, apiKey: string) {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = get(url, { headers: { authorization: `Bearer ${apiKey}` }, agent: false }, resolve);
  request.on('error', reject);
  const response = await promise;
  response.on('error', () => {});
  return { request, response };
}
