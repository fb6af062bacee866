import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { LoadAnswer } from './command.ts';

const CONNECTIONS = 64;
const ANSWER_MS = 30_000;

/**
 * Asks for each of `paths` in turn, at evenly spaced times, however the earlier ones fare; what is told of each call counts from when it
 * should have been sent.
 */
export async function readPaths(params: {
  url: string;
  apiKey: string;
  paths: readonly string[];
  rate: number;
  count: number;
}): Promise<LoadAnswer> {
  const { url, apiKey, paths, rate, count } = params;
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const headers = { authorization: `Bearer ${apiKey}` };
  const everyMs = 1_000 / rate;
  const begun = performance.now();
  const calls: Promise<number>[] = [];
  for (let number = 0; number < count; ) {
    const elapsed = performance.now() - begun;
    while (number < count && number * everyMs <= elapsed) {
      const sentAt = begun + number * everyMs;
      const path = paths[number++ % paths.length] ?? '/';
      calls.push(get({ url: url + path, agent, headers }).then(() => performance.now() - sentAt));
    }
    // A timer is about a millisecond late, which is little beside what is measured; turning the loop would take a core from it.
    await pause(Math.max(1, number * everyMs - (performance.now() - begun)));
  }
  const took = await Promise.all(calls);
  const seconds = (performance.now() - begun) / 1_000;
  agent.destroy();
  return { seconds, begun: performance.timeOrigin + begun, calls: took };
}

function get(params: { url: string; agent: Agent; headers: Record<string, string> }): Promise<void> {
  const { url, agent, headers } = params;
  return new Promise((done, failed) => {
    const call = request(url, { agent, headers }, (response) => {
      response.on('end', () => done());
      if (response.statusCode === 200) {
        // What is in it costs nothing but its way here.
        response.resume();
        return;
      }
      response.setEncoding('utf8').once('data', (text: string) => {
        failed(new Error(`GET ${url} answered ${response.statusCode}: ${text}`));
        response.resume();
      });
    });
    call.setTimeout(ANSWER_MS, () => call.destroy(new Error(`GET ${url} was not answered within 30 s`)));
    call.on('error', failed);
    call.end();
  });
}
