import { connect } from 'node:net';

const BOUND_MS = 5000;

/**
 * Sends one command of plain words to Redis and returns its answer; undefined for one that is not there.
 * Knows integers, simple and bulk strings: https://redis.io/docs/latest/develop/reference/protocol-spec/
 * @throws when Redis answers with an error, or not within five seconds
 */
export function askRedis(url: string, command: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let text = '';
    const finish = (settle: () => void) => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(BOUND_MS, () => finish(() => reject(new Error(`Redis gave no answer to ${command}`))));
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('close', () => reject(new Error(`Redis closed the connection before it answered ${command}`)));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const answer = readAnswer(text);
      if (answer === 'more') return;
      if ('error' in answer) finish(() => reject(new Error(`Redis on ${command}: ${answer.error}`)));
      else finish(() => resolve(answer.value));
    });
    socket.write(`${command}\r\n`);
  });
}

/** What Redis has answered so far: a value, an error, or `more` when the rest is still to come. */
export function readAnswer(text: string): { value: string | undefined } | { error: string } | 'more' {
  const end = text.indexOf('\r\n');
  if (end === -1) return 'more';
  const line = text.slice(1, end);
  if (text.startsWith('-')) return { error: line };
  if (text.startsWith('+') || text.startsWith(':')) return { value: line };
  if (!text.startsWith('$')) return { error: `an answer of a kind not known here: ${text.slice(0, end)}` };
  const length = Number(line);
  if (length === -1) return { value: undefined };
  const rest = text.slice(end + 2);
  return rest.length < length + 2 ? 'more' : { value: rest.slice(0, length) };
}
