import { readFile } from 'node:fs/promises';

/** How many checks and tests there were; `notes` say what the counts do not. */
export interface Tally {
  passed: number;
  failed: number;
  notes: string[];
}

interface Report {
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
  testResults?: { name?: string; status?: string; assertionResults?: unknown[] }[];
}

/**
 * Counts the tests of a vitest JSON report. A file that could not be loaded has no tests in it and counts as one
 * failure, and so does a run that ended badly without a failed test, as after an error outside of one.
 */
export async function readReport(params: { file: string; code: number }): Promise<Tally> {
  const text = await readFile(params.file, 'utf8').catch(() => undefined);
  if (text === undefined) return { passed: 0, failed: 1, notes: ['the tests ended without a report'] };
  const report = JSON.parse(text) as Report;
  const tally: Tally = { passed: report.numPassedTests ?? 0, failed: report.numFailedTests ?? 0, notes: [] };
  for (const file of report.testResults ?? []) {
    if (file.status !== 'failed' || (file.assertionResults ?? []).length > 0) continue;
    tally.failed++;
    tally.notes.push(`${file.name ?? 'a test file'} could not be run`);
  }
  const pending = report.numPendingTests ?? 0;
  if (pending > 0) tally.notes.push(`${pending} tests were skipped`);
  if (params.code !== 0 && tally.failed === 0) {
    tally.failed++;
    tally.notes.push(`the tests ended with code ${params.code}`);
  }
  return tally;
}
