import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { commandOf, startTimeOf } from './process-facts.ts';

/** One line of `processes.json`. `startTime` tells the process from a stranger that got its number later. */
export interface ProcessEntry {
  pid: number;
  ports: number[];
  startedAt: string;
  command: string;
  startTime: string;
}

/** The list of what runs, kept in a file so that a start after a killed start finds what was left. */
export interface ProcessesFile {
  /** Notes a process that has just been started. */
  set(name: string, process: { pid: number; ports: readonly number[] }): Promise<void>;
  remove(name: string): Promise<void>;
  /** After the last process has ended. */
  destroy(): Promise<void>;
}

/** Begins a new list at `file`. Changes are written one after the other, each as a whole file. */
export function openProcessesFile(file: string): ProcessesFile {
  const entries = new Map<string, ProcessEntry>();
  let last: Promise<void> = Promise.resolve();
  const write = (change: () => Promise<void> | void): Promise<void> => {
    last = last
      .catch(() => {})
      .then(async () => {
        await change();
        const text = `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
        await writeFile(`${file}.new`, text, { mode: 0o600 });
        await rename(`${file}.new`, file);
      });
    return last;
  };
  return {
    set: (name, { pid, ports }) =>
      write(async () => {
        const startTime = (await startTimeOf(pid)) ?? '';
        const command = (await commandOf(pid)) ?? '';
        entries.set(name, {
          pid,
          ports: [...ports],
          startedAt: new Date().toISOString(),
          command,
          startTime,
        });
      }),
    remove: (name) => write(() => void entries.delete(name)),
    async destroy() {
      await last.catch(() => {});
      await rm(file, { force: true });
    },
  };
}

/** What a start before has noted; nothing when there is no file or it is damaged. */
export async function readProcesses(file: string): Promise<Map<string, ProcessEntry>> {
  const found = new Map<string, ProcessEntry>();
  const text = await readFile(file, 'utf8').catch(() => '{}');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return found;
  }
  if (typeof parsed !== 'object' || parsed === null) return found;
  for (const [name, value] of Object.entries(parsed)) {
    const entry = value as Partial<ProcessEntry> | null;
    if (typeof entry?.pid !== 'number' || typeof entry.startTime !== 'string' || entry.startTime === '')
      continue;
    found.set(name, {
      pid: entry.pid,
      ports: Array.isArray(entry.ports) ? entry.ports.filter((port) => typeof port === 'number') : [],
      startedAt: entry.startedAt ?? '',
      command: entry.command ?? '',
      startTime: entry.startTime,
    });
  }
  return found;
}
