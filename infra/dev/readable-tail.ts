import { readFile } from 'node:fs/promises';

const widest = 300;
const shown = 4;
const parsedAtMost = 1000;
const lookedAt = 40;
const troubles = new Set<unknown>(['warn', 'error', 'fatal']);

/**
 * What an app's log says of its end, for the console: of what it has written since the file was `from` bytes long, the
 * last lines that are a warning or worse, name the signal that it stopped for, or are not of the log (what Node prints
 * of an uncaught error, shown from its message on, for its stack and fields follow). Empty when all was well.
 */
export async function readableTail(params: { file: string; from: number }): Promise<string> {
  const written = await readFile(params.file).catch(() => Buffer.alloc(0));
  // Shorter than it was: it has been cut since, so that all of it is new.
  const fresh = written.length < params.from ? written : written.subarray(params.from);
  const lines = fresh.toString().split('\n').slice(-parsedAtMost).flatMap(readable).slice(-lookedAt);
  const error = lines.findLastIndex((line) => /^\w*Error\b.*: /.test(line));
  const part = error === -1 ? lines.slice(-shown) : lines.slice(error, error + shown);
  return part.map((line) => `  | ${line.slice(0, widest)}`).join('\n');
}

interface LogLine {
  level?: unknown;
  msg?: unknown;
  why?: unknown;
  job?: unknown;
  err?: { message?: unknown } | null;
}

function readable(line: string): string[] {
  if (line.trim() === '') return [];
  if (!line.startsWith('{')) return [line];
  let parsed: LogLine;
  try {
    parsed = JSON.parse(line) as LogLine;
  } catch {
    return [line];
  }
  const { level, msg, why, job, err } = parsed;
  if (msg === 'stopping' && typeof why === 'string') return [`stopping: ${why}`];
  // What became of a job is not why its worker ended.
  if (!troubles.has(level) || (job !== undefined && level !== 'fatal')) return [];
  const said = typeof msg === 'string' ? msg : '';
  const cause = typeof err?.message === 'string' ? err.message : '';
  const words = said.includes(cause) ? [said] : [said, cause];
  return [`${level}: ${words.filter((word) => word !== '').join(': ')}`];
}
