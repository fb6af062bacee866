import { readFile } from 'node:fs/promises';

/** Whether a process runs. One that has ended and was not collected does not. */
export async function processLives(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat === '' ? process.platform !== 'linux' : !/\) Z /.test(stat);
}
