import { setUpRuns } from './isolated.fixture.ts';

/** A worker to be killed: runs one fixture task in a child process and tells who runs it. */
const [name = '', hard = '60000'] = process.argv.slice(2);
const { start } = setUpRuns({ kind: 'process' });
const run = start(name, {}, { limits: { hard: Number(hard) } });
process.stdout.write(`${JSON.stringify((await run.begun).fields)}\n`);
process.stdout.write(`${JSON.stringify(await run.execution)}\n`);
