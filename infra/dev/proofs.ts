import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/** A test that a document names as the proof of what it says. */
export interface Proof {
  /** From the top of the repository, e.g. `test/flow/jobs.test.ts`. */
  readonly file: string;
  readonly title: string;
}

/** Tests that `npm run test:long` runs; of these only the existence is checked elsewhere. */
const LONG = 'test/long/';
/** How a document names a test: `` `test/flow/jobs.test.ts > its title` ``. */
const NAMED = /`((?:apps|libs|infra|test)\/[\w./-]+\.test\.ts) > ([^`\n]+)`/g;

/** The tests that a Markdown text names. */
export function proofsIn(text: string): Proof[] {
  return [...text.matchAll(NAMED)].map(([, file = '', title = '']) => ({
    file,
    title: title.replaceAll('\\|', '|').trim(),
  }));
}

/**
 * Says which tests that a document names did not pass in a run: each is a promise without a proof.
 * @param params.reports vitest JSON reports
 * @param params.document path from `root`; names at least one test, else that is said too
 * @returns a sentence for each
 */
export async function unproven(params: {
  root: string;
  document: string;
  reports: readonly string[];
  long: boolean;
}): Promise<string[]> {
  const { root, document, long } = params;
  const proofs = proofsIn(await readFile(resolve(root, document), 'utf8'));
  if (proofs.length === 0) return [`${document} names no test: it cannot be checked`];
  const texts = await Promise.all(params.reports.map((report) => readFile(report, 'utf8')));
  const passed = texts.flatMap((text) => passedTests(JSON.parse(text) as Report));
  // A kept report names the files where they lay when it was written.
  const proves = ({ file, title }: Proof) => passed.some((at) => at.endsWith(`/${file} > ${title}`));
  return proofs
    .filter(({ file }) => file.startsWith(LONG) === long)
    .filter((proof) => !proves(proof))
    .map(({ file, title }) => `${document} names a test that did not pass: ${file} > ${title}`);
}

interface Report {
  testResults?: {
    name?: string;
    assertionResults?: { fullName?: string; title?: string; status?: string }[];
  }[];
}

function passedTests(report: Report): string[] {
  const passed: string[] = [];
  for (const { name = '', assertionResults = [] } of report.testResults ?? []) {
    for (const { fullName = '', title = '', status } of assertionResults) {
      if (status === 'passed') passed.push(`${name} > ${title}`, `${name} > ${fullName}`);
    }
  }
  return passed;
}
