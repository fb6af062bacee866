import { tailOf } from './server-process.ts';

const widest = 300;
const shown = 4;

/**
 * The last words of an app's log for the console: of a JSON line its message and its error, of any other its text.
 * What Node prints of an uncaught error ends with its stack and its fields, so it is shown from its message on.
 */
export async function readableTail(file: string): Promise<string> {
  const lines = (await tailOf(file, 40)).split('\n').filter((line) => line.trim() !== '');
  const error = lines.findLastIndex((line) => /^\w*Error\b.*: /.test(line));
  const from = Math.max(error, 0);
  const part = error === -1 ? lines.slice(-shown) : lines.slice(from, from + shown);
  return part.map((line) => `  | ${readable(line).slice(0, widest)}`).join('\n');
}

function readable(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } };
    const words = [msg, err?.message].filter((word) => typeof word === 'string');
    return words.length === 0 ? line : words.join(': ');
  } catch {
    return line;
  }
}
