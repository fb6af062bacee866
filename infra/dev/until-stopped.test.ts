import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const stubborn = fileURLToPath(new URL('./fixtures/stubborn.ts', import.meta.url));

test('however often Ctrl-C reaches it, each wish is noted once', async () => {
  const child = spawn(process.execPath, [stubborn], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  let pressing: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
    if (said.includes('up\n')) pressing ??= setInterval(() => child.kill('SIGINT'), 50);
    if (said.includes('killed 2')) clearInterval(pressing);
  });
  await exited;
  clearInterval(pressing);
  expect(said).toMatch(/^up\nStopping \(SIGINT\) …\nStopping at once …\nkilled 1\nkilled 2\n/);
});

test('what says how long it may take to stop is killed then', async () => {
  const child = spawn(process.execPath, [stubborn, '300'], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
    if (said === 'up\n') child.kill('SIGTERM');
  });
  await exited;
  expect(said).toBe('up\nStopping (SIGTERM) …\nkilled 1\nStopped.\n');
}, 8_000);
