import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readReport } from './check-report.ts';
import { adminKeyFile, readKey, settingsFile } from './data-files.ts';
import { emptyFolder } from './fixtures/folder.ts';
import { openLogFiles } from './log-files.ts';

test('the admin key is made once, for its owner alone', async () => {
  const dir = await emptyFolder();
  const file = await adminKeyFile(dir);
  const key = await readKey(file);
  expect(key).toMatch(/^jb_[0-9a-f]{12}_[\w-]{43}$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readKey(await adminKeyFile(dir))).toBe(key);
});

test('the embedded settings allow loopback and say so; a file of the user goes before, and edits stay', async () => {
  const root = await emptyFolder();
  const dataDir = await emptyFolder();
  const file = await settingsFile({ root, dataDir });
  expect(await readFile(file, 'utf8')).toMatch(/embedded default only[\s\S]*allowLoopback: true/);
  await writeFile(file, 'http: {}\n');
  await settingsFile({ root, dataDir });
  expect(await readFile(file, 'utf8')).toBe('http: {}\n');
  await writeFile(join(root, 'jetbeat.yaml'), '');
  expect(await settingsFile({ root, dataDir })).toBe(join(root, 'jetbeat.yaml'));
});

test('logs are put aside at a start and cut when they have grown', async () => {
  const logs = await openLogFiles({ dir: join(await emptyFolder(), 'logs'), limit: 10 });
  const file = logs.path('api');
  await appendFile(file, 'old');
  await logs.rotate('api');
  await appendFile(file, 'short');
  await logs.cap();
  expect(await readFile(`${file}.1`, 'utf8')).toBe('old');
  await appendFile(file, ' and then too long');
  await logs.cap();
  expect(await readFile(`${file}.1`, 'utf8')).toBe('short and then too long');
  expect(await readFile(file, 'utf8')).toBe('');
});

test('a report counts its tests, files that did not load, and a bad end', async () => {
  const file = join(await emptyFolder(), 'report.json');
  expect(await readReport({ file, code: 1 })).toMatchObject({ passed: 0, failed: 1 });
  const report = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 0, testResults: [] as object[] };
  await writeFile(file, JSON.stringify(report));
  expect(await readReport({ file, code: 0 })).toEqual({ passed: 7, failed: 0, notes: [] });
  expect(await readReport({ file, code: 1 })).toMatchObject({ passed: 7, failed: 1 });
  report.testResults.push({ name: 'a.test.ts', status: 'failed', assertionResults: [] });
  await writeFile(file, JSON.stringify({ ...report, numFailedTests: 2 }));
  const tally = await readReport({ file, code: 1 });
  expect(tally).toEqual({ passed: 7, failed: 3, notes: ['a.test.ts could not be run'] });
});
