import { Agent, request as httpRequest } from 'node:http';
import type { FuzzRequest } from './request.ts';

/** What came back. */
export interface FuzzAnswer {
  readonly status: number;
  /** Without its parameters. */
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Milliseconds. */
  readonly took: number;
  /** It goes on until somebody ends it. */
  readonly isStream: boolean;
}

/** Sends requests over kept connections. */
export interface Sender {
  /** Throws when there is no answer. */
  send(request: Omit<FuzzRequest, 'operation'>): Promise<FuzzAnswer>;
  close(): void;
}

/** Nothing but a wait that was asked for takes so long. */
const NO_ANSWER_MS = 45_000;

/** @param params.apiKey sent unless the request has an `authorization` of its own */
export function createSender({ url, apiKey }: { url: string; apiKey: string }): Sender {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  return {
    send: ({ method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const begun = performance.now();
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
        const sent = httpRequest({
          hostname,
          port,
          agent,
          method,
          path: sendable(path),
          timeout: NO_ANSWER_MS,
          headers: { authorization: `Bearer ${apiKey}`, ...asBytes(headers), ...length },
        });
        sent.once('timeout', () => sent.destroy(new Error(`no answer within ${NO_ANSWER_MS} ms`)));
        sent.once('error', reject);
        sent.once('response', (answer) => {
          const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? '';
          const isStream = type === 'text/event-stream';
          let text = '';
          const done = () => {
            const took = performance.now() - begun;
            const { statusCode: status = 0, headers: given } = answer;
            resolve({ status, type, body: text, headers: given, took, isStream });
          };
          if (isStream) {
            done();
            sent.destroy();
            return;
          }
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          answer.once('end', done);
          answer.once('error', reject);
        });
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** Node sends no address with blanks or control characters in it. */
function sendable(path: string): string {
  return path.replace(/[^\u0021-\u00ff]/g, (char) => encodeURIComponent(char.toWellFormed()));
}

/** Header values are bytes. */
function asBytes(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')]),
  );
}
