import { expect, test } from 'vitest';
import { createLog } from './log.ts';

function written(use: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  use(
    createLog({
      app: 'worker',
      level: 'info',
      destination: { write: (line: string) => void lines.push(line) },
    }),
  );
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line says which app, job, run and trace it is about', () => {
  const [line] = written((log) =>
    log.child({ job: 'j', run: 'r', traceId: 't' }).info({ queue: 'mail' }, 'done'),
  );
  expect(line).toMatchObject({
    level: 'info',
    app: 'worker',
    job: 'j',
    run: 'r',
    traceId: 't',
    queue: 'mail',
    msg: 'done',
  });
});

test('secrets are taken out by field, and inside of texts', () => {
  const key = `jb_first_${'s'.repeat(43)}`;
  const lines = written((log) => {
    log.info(
      { authorization: 'Bearer x', config: { apiKey: key }, req: { headers: { cookie: 'c=1' } } },
      'fields',
    );
    log.error(
      { err: new Error(`cannot connect to postgres://jetbeat:hunter2@db:5432/x with ${key}`) },
      'texts',
    );
    log.info({ server: 'nats://tok3n@127.0.0.1:4222' }, 'a token');
  });
  expect(lines[0]).toMatchObject({
    authorization: '***',
    config: { apiKey: '***' },
    req: { headers: { cookie: '***' } },
  });
  const text = JSON.stringify(lines);
  expect(text).not.toContain('hunter2');
  expect(text).not.toContain('ssss');
  expect(text).not.toContain('tok3n');
  expect(text).toContain('postgres://jetbeat:***@db:5432');
});

test('an error that says its cause says it once', () => {
  const cause = new Error('away');
  const [line] = written((log) =>
    log.error({ err: new Error(`no answer: ${cause.message}`, { cause }) }, 'x'),
  );
  expect(line).toMatchObject({ err: { message: 'no answer: away', cause: { message: 'away' } } });
});

test('an error as history keeps it is shown under its own name', () => {
  const [line] = written((log) => log.error({ err: { name: 'RangeError', message: 'too far' } }, 'x'));
  expect(line).toMatchObject({ err: { type: 'RangeError', message: 'too far' } });
});

test('a text of a caller makes no second line, and steers no terminal', () => {
  const text = 'a\nlevel=fatal\r\u001b[31mred\u001b]0;title\u0007\u2028';
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ app: 'api', level: 'info', destination: { write } });
  log.info({ task: text, err: new Error(text) }, text);
  expect(lines).toHaveLength(1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
  expect(lines[0]?.trimEnd()).not.toMatch(/[\u0000-\u001f]/);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ task: text });
});
