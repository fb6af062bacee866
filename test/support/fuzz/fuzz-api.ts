import fc from 'fast-check';
import type { TestApi } from '../api.ts';
import { createJudge, type JudgeAnswer } from './judge-answer.ts';
import { type Description, operationsOf } from './operation.ts';
import { type FuzzRequest, fuzzRequest, type Known } from './request.ts';
import { createSender, type FuzzAnswer, type Sender } from './send.ts';
import { type WriteWatch, watchWrites } from './watch-writes.ts';

/** What a run of the fuzzer came to. */
export interface Fuzzed {
  readonly sent: number;
  /** Answers by class of status, e.g. `2xx`. */
  readonly byClass: Readonly<Record<string, number>>;
  /** Operations that were answered 2xx, and those that were not. */
  readonly done: readonly string[];
  readonly neverDone: readonly string[];
  /** Requests whose refusal was watched for writes. */
  readonly watched: number;
  /** What is wrong, each kind once, with a request that shows it. */
  readonly findings: readonly string[];
}

/** At once; the pool of the API has more connections. */
const LANES = 8;
const GROUP = 40;
/** Of each operation: the first ones tell as much as all. */
const MOST_READ_AGAIN = 10;

/**
 * Sends random requests, made from the description that the server itself serves: first all of them, judging every answer and reading
 * what was made, then those that were refused once more, looking whether any of them writes anything.
 * @param params.count how many in all; a third of them are repeats
 */
export async function fuzzApi(params: {
  api: Pick<TestApi, 'http' | 'key' | 'databaseUrl'>;
  known: Known;
  seed: number;
  count: number;
}): Promise<Fuzzed> {
  const { api, known, seed, count } = params;
  const { url } = api.http;
  const description = (await (await fetch(`${url}/openapi.json`)).json()) as Description;
  const operations = operationsOf(description);
  const problem = operationsOf({
    ...description,
    paths: { '/': { get: { operationId: 'x', responses: { 400: problemContent } } } },
  })[0]
    ?.answers.get(400)
    ?.get('application/problem+json');
  const sender = createSender({ url, apiKey: api.key });
  const writes = await watchWrites(api.databaseUrl);
  const judge = createJudge(problem ?? {});
  const run: Run = { sender, judge, findings: new Map(), readAgain: new Map(), sent: 0 };
  const byClass: Record<string, number> = {};
  const done = new Set<string>();
  const refused: FuzzRequest[] = [];
  try {
    const first = Math.ceil((count * 2) / 3);
    const requests = fc.sample(fuzzRequest(operations, known), { numRuns: first, seed });
    await inLanes(requests, async (request) => {
      const answer = await sendOne(run, request);
      if (!answer) return;
      const group = `${Math.trunc(answer.status / 100)}xx`;
      byClass[group] = (byClass[group] ?? 0) + 1;
      if (group === '4xx') refused.push(request);
      if (group !== '2xx') return;
      if (request.method === request.operation.method) done.add(request.operation.name);
      await readAgain(run, request, answer);
    });
    await endBatches(api.http);
    await writes.quiet();
    const again = refused.slice(0, count - first);
    const watched = await refuseAgain(run, writes, again);
    const names = operations.map(({ name }) => name);
    return {
      sent: run.sent,
      byClass,
      watched,
      findings: [...run.findings.values()],
      done: [...done].sort(),
      neverDone: names.filter((name) => !done.has(name)),
    };
  } finally {
    sender.close();
    await writes.close();
  }
}

/** What was asked for goes on behind the answers, and would be taken for what is refused. */
async function endBatches(http: TestApi['http']): Promise<void> {
  const { body } = await http.call<{ items: { id: string }[] }>('GET', '/batches?state=running&limit=200');
  for (const { id } of body.items) await http.call('POST', `/batches/${id}/abort`, {});
}

const problemContent = {
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

interface Run {
  readonly sender: Sender;
  readonly judge: JudgeAnswer;
  /** By kind, so that one mistake is told once. */
  readonly findings: Map<string, string>;
  /** How often what was made was read, by operation. */
  readonly readAgain: Map<string, number>;
  sent: number;
}

async function sendOne(run: Run, request: FuzzRequest): Promise<FuzzAnswer | undefined> {
  run.sent += 1;
  try {
    const answer = await run.sender.send(request);
    const wrong = run.judge(request, answer);
    if (wrong !== undefined) note(run, request, wrong);
    return answer;
  } catch (error) {
    note(run, request, `no answer: ${String(error)}`);
    return undefined;
  }
}

/** What was made is where the answer says that it is. */
async function readAgain(
  run: Run,
  request: FuzzRequest,
  { headers: { location } }: FuzzAnswer,
): Promise<void> {
  // Another request may have deleted a schedule meanwhile, and what it is triggered for is made by a scheduler.
  if (typeof location !== 'string' || request.path.startsWith('/api/v1/schedules')) return;
  const { name } = request.operation;
  const times = run.readAgain.get(name) ?? 0;
  if (times === MOST_READ_AGAIN) return;
  run.readAgain.set(name, times + 1);
  const { status } = await run.sender.send({ method: 'GET', path: location, headers: {} });
  if (status !== 200) note(run, request, `made what answers ${status}: ${location}`);
}

function note(run: Run, request: FuzzRequest, wrong: string): void {
  const { operation, method, path, headers, body } = request;
  const kind = `${operation.name} ${wrong.slice(0, 60)}`;
  const shown = `${method} ${path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 300)} ${body?.slice(0, 600) ?? ''}`;
  if (!run.findings.has(kind)) run.findings.set(kind, `${operation.name}: ${wrong}\n    ${shown}`);
}

/** In groups; one that writes something although all of it was refused is halved until it is known which of them does. */
async function refuseAgain(run: Run, writes: WriteWatch, requests: readonly FuzzRequest[]): Promise<number> {
  let watched = 0;
  const writtenBy = async (group: readonly FuzzRequest[]): Promise<readonly string[]> => {
    let allRefused = true;
    await inLanes(group, async (request) => {
      const answer = await sendOne(run, request);
      if (!answer || answer.status < 400) allRefused = false;
    });
    const lines = await writes.written();
    if (!allRefused) return [];
    watched += group.length;
    return lines;
  };
  const tryGroup = async (group: readonly FuzzRequest[]): Promise<void> => {
    if ((await writtenBy(group)).length === 0) return;
    // It may be what others have begun.
    await writes.quiet();
    const lines = await writtenBy(group);
    const [only] = group;
    if (lines.length === 0 || !only) return;
    if (group.length === 1) {
      note(run, only, `was refused, and wrote: ${lines.join('; ').slice(0, 600)}`);
      return;
    }
    const half = Math.ceil(group.length / 2);
    for (const part of [group.slice(0, half), group.slice(half)]) await tryGroup(part);
  };
  for (let from = 0; from < requests.length; from += GROUP)
    await tryGroup(requests.slice(from, from + GROUP));
  return watched;
}

async function inLanes<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await act(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
