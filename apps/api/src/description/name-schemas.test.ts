import { expect, test } from 'vitest';
import { nameSchemas } from './name-schemas.ts';

const rule = { title: 'Rule', type: 'object', properties: { title: { type: 'string' } } };
const when = { title: 'When', anyOf: [rule, { type: 'array', items: rule }] };

test('what has a title stands once, by its name, and is referred to from everywhere', () => {
  const { components, paths } = nameSchemas({
    components: { schemas: { Schedule: { title: 'Schedule', type: 'object', properties: { when } } } },
    paths: { '/a': { schema: { title: 'Body', type: 'object', properties: { when, rule } } } },
  });
  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  expect(components.schemas).toEqual({
    Schedule: { title: 'Schedule', type: 'object', properties: { when: ref('When') } },
    When: { title: 'When', anyOf: [ref('Rule'), { type: 'array', items: ref('Rule') }] },
    Rule: rule,
    Body: { title: 'Body', type: 'object', properties: { when: ref('When'), rule: ref('Rule') } },
  });
  expect(paths).toEqual({ '/a': { schema: ref('Body') } });
});

test('another one of the same title, and what only looks like a schema, stay where they are', () => {
  const other = { title: 'Rule', type: 'string' };
  const examples = [{ title: 'Rule', type: 'not a schema' }];
  const { paths } = nameSchemas({
    components: { schemas: { Rule: rule } },
    paths: { a: other, b: { examples } },
  });
  expect(paths).toEqual({ a: other, b: { examples } });
  expect(nameSchemas({})).toEqual({});
});
