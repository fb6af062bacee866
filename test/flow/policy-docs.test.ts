import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decide, isolationOf, policyOf, readSettings } from '@jetbeat/core';
import { JobRequestSchema } from '@jetbeat/core/http';
import { FileSchema, loadConfig } from '@jetbeat/runtime';
import type { Task } from '@jetbeat/task';
import { runTask } from '@jetbeat/task/testing';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** The example in this language of the page on policies. */
async function example(language: string): Promise<string> {
  const text = await readFile(join(root, 'docs/policies.md'), 'utf8');
  const found = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)?.[1];
  if (found === undefined) throw new Error(`the page has no example in ${language}`);
  return found;
}

/** Runs `use` with a folder of its own in `inside`. */
async function inFolder<T>(inside: string, use: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(inside, 'jetbeat-docs-'));
  try {
    return await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test('the configuration on the page is accepted, and means what is said there', async () => {
  const yaml = await example('yaml');
  const config = await inFolder(tmpdir(), async (cwd) => {
    await writeFile(join(cwd, 'jetbeat.yaml'), yaml);
    return loadConfig({ env: {}, app: 'api', cwd });
  });
  const settings = readSettings(config.settings, config.file);
  expect(config.queues).toEqual(['default', 'media', 'slow']);
  expect(settings.of('media.library.sync').over).toMatchObject({ queue: 'media', priority: 'low' });
  expect(settings.of('report.nightly').over.queue).toBe('slow');
  expect(settings.of('alert.budget').over.policy?.expires).toBe(10_800_000);
  expect(isolationOf(settings.of('pdf.render'), undefined)).toMatchObject({ kind: 'process', maxJobs: 100 });
  const { retry } = policyOf(undefined, settings.of('alert.budget'), undefined);
  expect(retry).toMatchObject({ attempts: 3, delay: [10_000, 60_000, 600_000], jitter: false });
});

test('the task on the page is tried again as it says, and not after what is hopeless', async () => {
  const code = await example('ts');
  // Inside, so that it finds our packages.
  const { charge } = await inFolder(import.meta.dirname, async (dir) => {
    const file = join(dir, 'task.ts');
    await writeFile(file, code);
    return (await import(file)) as { charge: Task };
  });
  const policy = policyOf(undefined, readSettings({}).of(charge.name), charge.policy);
  const { outcome, error, kinds } = await runTask(charge, null);
  const ended = { outcome, error, attempt: 1, run: 1, retry: policy.retry, now: 0, random: 0 };
  expect(decide({ ...ended, kinds })).toMatchObject({ state: 'dead', reason: { code: 'not_retried' } });
  expect(decide({ ...ended, kinds: ['Error'] })).toEqual({ state: 'retrying', attempt: 2, runAt: 10_000 });
  expect(charge.policy.expires).toBe(86_400_000);
});

/** A schema without what is said to people and generators. */
function bare(schema: unknown): unknown {
  const words = ['title', 'description', 'examples'];
  return JSON.parse(JSON.stringify(schema, (key, value) => (words.includes(key) ? undefined : value)));
}

test('the configuration takes the same policy as a request', () => {
  const { retry, timeout, priority } = JobRequestSchema.properties;
  const { properties } = FileSchema.properties.defaults;
  expect(bare(properties.retry)).toEqual(bare(retry));
  expect(bare(properties.timeout)).toEqual(bare(timeout));
  expect(bare(properties.priority)).toEqual(bare(priority));
});
