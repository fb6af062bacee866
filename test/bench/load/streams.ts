import { get, type IncomingMessage } from 'node:http';
import { waitUntil } from '../../support/wait-until.ts';
import type { LoadAnswer } from './command.ts';

/** One key may have a hundred streams. */
const PER_KEY = 100;
const ENDED = Buffer.from('\nevent: job.succeeded\n');
const GAP = Buffer.from('\nevent: gap\n');
const BOUND_MS = 300_000;

/** A client that has heard of a gap, and then of nothing for so long, hears of no more. Milliseconds. */
const QUIET_MS = 3_000;

interface Reader {
  ended: number;
  gaps: number;
  lastAt: number;
}

/**
 * Follows the ends of jobs with many connections, and everything with some that do not read before the others have heard of `count` jobs. Of one
 * it is measured how long after its end it hears of a job.
 */
export async function followStreams(params: {
  url: string;
  apiKey: string;
  fast: number;
  slow: number;
  count: number;
}): Promise<LoadAnswer> {
  const { url, apiKey, fast, slow, count } = params;
  const keys = await Promise.all(
    Array.from({ length: Math.ceil((fast + slow) / PER_KEY) }, () => newKey(url, apiKey)),
  );
  const begun = performance.now();
  const open = (index: number, query: string) =>
    openStream(`${url}/api/v1/events${query}`, keys[index % keys.length] ?? '');
  const lazy = await Promise.all(Array.from({ length: slow }, (_, index) => open(index, '')));
  const eager = await Promise.all(
    Array.from({ length: fast }, (_, index) => open(slow + index, '?type=job.succeeded')),
  );
  const calls: number[] = [];
  const [probe] = eager;
  probe?.on('data', (chunk: Buffer) => {
    const now = Date.now();
    for (const [, at = ''] of chunk.toString().matchAll(/"type":"job\.succeeded","at":"([^"]+)"/g))
      calls.push(now - Date.parse(at));
  });
  const readers = eager.map(read);
  const told = () => readers.every((reader) => reader.ended >= count || isQuiet(reader));
  await waitUntil('every client has heard of all jobs', told, { timeoutMs: BOUND_MS, everyMs: 20 });
  const late = lazy.map(read);
  const caughtUp = () => late.every(({ ended, gaps }) => gaps > 0 || ended >= count);
  await waitUntil('the slow ones know what they missed', caughtUp, { timeoutMs: 30_000, everyMs: 20 });
  for (const response of [...lazy, ...eager]) response.destroy();
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    seconds: (performance.now() - begun) / 1_000,
    begun: performance.timeOrigin + begun,
    calls,
    told: {
      least: Math.min(...readers.map(({ ended }) => ended)),
      most: Math.max(...readers.map(({ ended }) => ended)),
      gapsOfFast: sum(readers.map(({ gaps }) => gaps)),
      slowWithGap: late.filter(({ gaps }) => gaps > 0).length,
    },
  };
}

async function newKey(url: string, apiKey: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/api-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', role: 'viewer' }),
  });
  const { key } = (await response.json()) as { key: string };
  return key;
}

function openStream(url: string, apiKey: string): Promise<IncomingMessage> {
  return new Promise((opened, failed) => {
    const headers = { authorization: `Bearer ${apiKey}` };
    get(url, { headers, agent: false }, (response) => {
      response.on('error', () => {});
      if (response.statusCode === 200) opened(response);
      else failed(new Error(`GET /events was answered ${response.statusCode}`));
    }).on('error', failed);
  });
}

/** Counts without making texts: it is not the client that is measured. */
function read(response: IncomingMessage): Reader {
  const reader: Reader = { ended: 0, gaps: 0, lastAt: performance.now() };
  let rest: Buffer = Buffer.alloc(0);
  response.on('data', (chunk: Buffer) => {
    const bytes = Buffer.concat([rest, chunk]);
    const ended = occurrences(bytes, ENDED);
    const gaps = occurrences(bytes, GAP);
    reader.ended += ended.count;
    reader.gaps += gaps.count;
    reader.lastAt = performance.now();
    // What may be the begin of one, and no part of one that was counted.
    rest = bytes.subarray(Math.max(ended.end, gaps.end, bytes.length - ENDED.length + 1));
  });
  return reader;
}

function isQuiet({ gaps, lastAt }: Reader): boolean {
  return gaps > 0 && performance.now() - lastAt > QUIET_MS;
}

function occurrences(bytes: Buffer, what: Buffer): { count: number; end: number } {
  let count = 0;
  let end = 0;
  for (let at = bytes.indexOf(what); at >= 0; at = bytes.indexOf(what, end)) {
    count += 1;
    end = at + what.length - 1;
  }
  return { count, end };
}
