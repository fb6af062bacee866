import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** What the system knows of one process. */
interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of its threads, and of children that have ended. */
  readonly cpuSeconds: number;
}

/** All processes of the machine at one moment, by pid. */
export type ProcessTable = ReadonlyMap<number, ProcessEntry>;

/** Physical memory of one process, bytes. */
export interface Memory {
  readonly residentBytes: number;
  /** The most that it ever had; where the system does not tell, what it has now. */
  readonly peakBytes: number;
  /** Of the resident memory, what other processes may have mapped as well. */
  readonly sharedBytes: number;
}

/** `sysconf(_SC_CLK_TCK)`: 100 on every architecture that Linux and Node 24 share. */
const TICKS = 100;
const run = promisify(execFile);

/** Reads the table: from /proc on Linux, from `ps` elsewhere. */
export async function readProcesses(): Promise<ProcessTable> {
  const entries = process.platform === 'linux' ? fromProc() : await ps();
  return new Map(entries.map((entry) => [entry.pid, entry]));
}

/** A process and all that descend from it. */
export function treeOf(table: ProcessTable, root: number): ProcessEntry[] {
  const first = table.get(root);
  if (!first) return [];
  const found = [first];
  for (const entry of found) {
    for (const other of table.values()) if (other.parent === entry.pid) found.push(other);
  }
  return found;
}

/** Memory of some processes; those that have ended are left out. */
export async function readMemory(pids: readonly number[]): Promise<Memory[]> {
  if (process.platform === 'linux') {
    const texts = pids.map((pid) => textOf(`/proc/${pid}/status`));
    return texts.filter((text) => text.includes('VmRSS:')).map(memoryOf);
  }
  return (await ps())
    .filter(({ pid }) => pids.includes(pid))
    .map(({ residentBytes }) => ({ residentBytes, peakBytes: residentBytes, sharedBytes: 0 }));
}

/** proc_pid_status(5). */
function memoryOf(status: string): Memory {
  const bytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return {
    residentBytes: bytes('VmRSS'),
    peakBytes: bytes('VmHWM'),
    sharedBytes: bytes('RssFile') + bytes('RssShmem'),
  };
}

function fromProc(): ProcessEntry[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const texts = pids.map((pid) => textOf(`/proc/${pid}/stat`));
  return texts.filter((text) => text !== '').map(entryOf);
}

/** Nothing for a process that has ended. Read at once: a file of /proc is never waited for, and a thread costs more than it. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** proc_pid_stat(5); the name in brackets may hold anything, so fields are counted from its end. */
function entryOf(stat: string): ProcessEntry {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  return {
    pid: Number.parseInt(stat, 10),
    parent: field(4),
    cpuSeconds: (field(14) + field(15) + field(16) + field(17)) / TICKS,
  };
}

interface PsEntry extends ProcessEntry {
  readonly residentBytes: number;
}

async function ps(): Promise<PsEntry[]> {
  const { stdout } = await run('ps', ['-axo', 'pid=,ppid=,rss=,time='], { timeout: 10_000 });
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, rss, time] = line.trim().split(/\s+/);
    if (pid === undefined || parent === undefined || rss === undefined || time === undefined) return [];
    const entry = { pid: Number(pid), parent: Number(parent), cpuSeconds: secondsOf(time) };
    return [{ ...entry, residentBytes: Number(rss) * 1024 }];
  });
}

/** `[[dd-]hh:]mm:ss[.cc]`, as ps prints it. */
export function secondsOf(time: string): number {
  const [days, clock] = time.includes('-') ? time.split('-') : ['0', time];
  const parts = (clock ?? '').split(':').map(Number);
  return Number(days) * 86_400 + parts.reduce((sum, part) => sum * 60 + part, 0);
}
