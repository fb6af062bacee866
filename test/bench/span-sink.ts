import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A process that takes spans over OTLP and throws them away: a collector that costs next to nothing. */
export interface SpanSink {
  /** What an app is told. */
  readonly env: Readonly<Record<string, string>>;
  /** What has arrived until now, bytes. */
  bytes(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts one. */
export async function startSpanSink(): Promise<SpanSink> {
  const child = fork(import.meta.filename, ['sink'], { execArgv: [] });
  const exited = once(child, 'exit');
  const ask = async (): Promise<number> => {
    const answered = once(child, 'message');
    child.send('bytes');
    return (await answered)[0] as number;
  };
  const [port] = (await once(child, 'message')) as [number];
  return {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    bytes: ask,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

if (process.argv[2] === 'sink') {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('message', () => process.send?.(bytes));
  process.on('disconnect', () => process.exit());
}
