import type { StartOptions } from './options.ts';

/** What is said when everything is up: where to look, how to get in, and with which key. */
export function banner(params: {
  options: StartOptions;
  keyFile: string;
  logDir: string;
  tookMs: number;
  /** That signs in once. */
  link?: string | undefined;
}): string {
  const { options, link } = params;
  const api = `http://127.0.0.1:${options.apiPort}`;
  const rows: [string, string][] = [
    ['API', 'the paths under /api/v1; the page above describes them'],
    ['NATS', `nats://127.0.0.1:${options.natsPort}`],
    ['NATS monitoring', `http://127.0.0.1:${options.monitorPort}`],
    [
      'PostgreSQL',
      `127.0.0.1:${options.postgresPort}, database and user jetbeat, password in ${options.dataDir}/postgres/password`,
    ],
    ['Admin key', params.keyFile],
    ['Logs', params.logDir],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    '',
    `  Jetbeat is up at ${api}/docs (after ${(params.tookMs / 1000).toFixed(1)} s)`,
    '',
    // Where others reach the API the link would not be of this machine.
    link === undefined
      ? '  Sign in with the admin key; POST /api/v1/session/links makes a link that works once'
      : `  Sign in (once, within ten minutes)  ${link}`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
    `  Try  curl -H "Authorization: Bearer $(cat ${params.keyFile})" ${api}/api/v1/jobs`,
    '  Ctrl-C stops everything.',
    '',
  ].join('\n');
}
