import { Agent, request } from 'node:http';
import type { LoadAnswer } from './command.ts';
import { input } from './input.ts';

/** Posts jobs to the API over kept connections, `concurrency` at a time. */
export async function postJobs(params: {
  url: string;
  apiKey: string;
  count: number;
  concurrency: number;
}): Promise<LoadAnswer> {
  const { url, apiKey, count, concurrency } = params;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const calls: number[] = [];
  const begun = performance.now();
  let next = 0;
  const caller = async () => {
    while (next < count) {
      const body = JSON.stringify({ task: 'bench.noop', input: input(next++) });
      const from = performance.now();
      await post({ url: `${url}/api/v1/jobs`, agent, headers, body });
      calls.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const seconds = (performance.now() - begun) / 1_000;
  agent.destroy();
  return { seconds, begun: performance.timeOrigin + begun, calls };
}

function post(params: {
  url: string;
  agent: Agent;
  headers: Record<string, string>;
  body: string;
}): Promise<void> {
  const { url, agent, headers, body } = params;
  return new Promise((done, failed) => {
    const length = { 'content-length': Buffer.byteLength(body) };
    const call = request(url, { method: 'POST', agent, headers: { ...headers, ...length } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        response.statusCode === 202
          ? done()
          : failed(new Error(`POST /jobs answered ${response.statusCode}: ${text}`)),
      );
    });
    call.setTimeout(30_000, () => call.destroy(new Error('POST /jobs was not answered within 30 s')));
    call.on('error', failed);
    call.end(body);
  });
}
