import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { JobJson } from '../support/http.ts';
import { natsUrl } from '../support/nats.ts';

const run = promisify(execFile);
const page = resolve(import.meta.dirname, '../../docs/jobs.md');

let group: AppGroup;
beforeAll(async () => {
  group = await startAppGroup();
  await Promise.all([group.start('api'), group.start('recorder'), group.start('worker')]);
}, 120_000);
afterAll(() => group?.stop(), 60_000);

/** The example in this language of the page on jobs. */
async function example(language: string): Promise<string> {
  const text = await readFile(page, 'utf8');
  const found = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)?.[1];
  if (found === undefined) throw new Error(`the page has no example in ${language}`);
  return found;
}

test('the calls on the page are answered as it says', async () => {
  const script = (await example('sh')).replaceAll(/^(api|ID=|OTHER=)/gm, 'echo; $1');
  const env = { PATH: process.env['PATH'] ?? '', URL: group.http.url, KEY: group.apiKey };
  // The definition of the function is a line of its own kind.
  const { stdout } = await run('bash', ['-euc', script.replace('echo; api() {', 'api() {')], { env });
  const answers = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as JobJson & { retryOf?: string; runAt?: string; priority?: string });
  const [waited, moved, now, cancelled, retried] = answers;
  expect(waited).toMatchObject({ state: 'succeeded', result: { hello: 'world' } });
  expect(moved).toMatchObject({ state: 'scheduled', runAt: '2030-01-01T00:00:00.000Z', priority: 'high' });
  expect(now?.state).toMatch(/queued|running|succeeded/);
  expect(cancelled).toMatchObject({ state: 'cancelled', reason: { text: 'no longer needed' } });
  expect(await group.http.jobIn(retried?.id ?? '', ['succeeded'])).toMatchObject({
    retryOf: cancelled?.id,
    result: 3,
  });
  expect(answers.length).toBe(5);
});

test('the program on the page gets its results', async () => {
  // Inside, so that it finds our packages.
  const dir = await mkdtemp(join(import.meta.dirname, 'jetbeat-docs-'));
  try {
    const file = join(dir, 'program.ts');
    const connecting = 'connect({ servers: process.env.JETBEAT_NATS_URL })';
    const text = await example('ts');
    expect(text).toContain(connecting);
    const own = `connect(${JSON.stringify({ servers: natsUrl(), namespace: group.namespace })})`;
    await writeFile(file, text.replace(connecting, own));
    const said = (await import(file)) as { result: unknown; again: unknown };
    expect([said.result, said.again]).toEqual([{ hello: 'world' }, { hello: 'world' }]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
