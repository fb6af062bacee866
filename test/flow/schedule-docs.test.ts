import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Backfill, OccurrencePage, Schedule, Triggered } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';

const run = promisify(execFile);
const page = resolve(import.meta.dirname, '../../docs/schedules.md');
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.stop());

/** The examples in this language of the page on schedules, as one. */
async function examples(language: string): Promise<string> {
  const text = await readFile(page, 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))]
    .map(([, code]) => code)
    .join('\n');
}

test('the calls on the page on schedules are answered as it says', async () => {
  // Each answer on a line of its own.
  const script = (await examples('sh')).replaceAll(/^api (?=[A-Z])/gm, 'echo; api ');
  const env = { PATH: process.env['PATH'] ?? '', URL: api.http.url, KEY: api.key };
  const { stdout } = await run('bash', ['-euc', script], { env });
  const answers: unknown[] = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const [made, changed, paused, resumed, triggered, tried, filled, why] = answers as [
    ...[Schedule, Schedule, Schedule, Schedule, Triggered, Backfill, Backfill, OccurrencePage],
  ];
  expect(answers).toHaveLength(8);
  expect(made).toMatchObject({
    name: 'backup/nightly',
    version: 1,
    overlap: 'buffer-one',
    catchUpWindow: '12h',
  });
  expect(changed).toMatchObject({ version: 2, when: { cron: '45 2 * * *' }, job: { priority: 'low' } });
  expect(paused).toMatchObject({ state: 'paused', paused: { note: 'the disks are exchanged' } });
  expect(resumed).toMatchObject({ state: 'active', paused: null });
  expect(triggered.occurrence).toMatchObject({ state: 'due' });
  expect([tried.origin, tried.count, filled.count]).toEqual([null, 3, 3]);
  expect(why).toMatchObject({ items: [], explanation: expect.stringContaining('was made later') });
});

test('the program on the page on schedules prints what its comment says', async () => {
  const code = await examples('ts');
  const [, said] = /console\.log.* \/\/ (.*)/.exec(code) ?? [];
  // Inside, so that it finds our packages.
  const dir = await mkdtemp(join(import.meta.dirname, 'jetbeat-docs-'));
  try {
    await writeFile(join(dir, 'program.ts'), code);
    const env = { ...process.env, JETBEAT_URL: api.http.url, JETBEAT_API_KEY: api.key };
    const { stdout } = await run(process.execPath, [join(dir, 'program.ts')], { env, timeout: 20_000 });
    expect(stdout.trim()).toBe(said);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
