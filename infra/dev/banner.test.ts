import { expect, test } from 'vitest';
import { banner } from './banner.ts';
import { parseStart } from './options.ts';

test('every web address in the banner is one that a browser can open', () => {
  const options = parseStart({ args: ['--port', '1234'], root: '/project', from: '/' });
  const text = banner({ options, keyFile: '/k', logDir: '/l', tookMs: 23_040 });
  expect(text).toContain('Jetbeat is up at http://127.0.0.1:1234/docs (after 23.0 s)');
  const [shown = ''] = text.split('Try');
  expect(shown.match(/http:\S+/g)).toEqual(['http://127.0.0.1:1234/docs', 'http://127.0.0.1:7438']);
});

test('a link that signs in stands apart, and where there is none it is said how to get one', () => {
  const said = {
    options: parseStart({ args: [], root: '/project', from: '/' }),
    keyFile: '/k',
    logDir: '/l',
    tookMs: 1,
  };
  const link = 'http://127.0.0.1:7420/sign-in#code=abc';
  expect(banner({ ...said, link }).split('\n')).toContain(`  Sign in (once, within ten minutes)  ${link}`);
  expect(banner({ ...said, link: undefined })).toContain('POST /api/v1/session/links makes a link');
});
