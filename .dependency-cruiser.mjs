/**
 * Who may import whom: the table "Packages" of the design. A package that is not named here may import none of ours.
 * `test/structure/imports.test.ts` proves that a wrong import is found.
 */
const MAY_IMPORT = {
  'libs/core': [],
  'libs/task': ['libs/core'],
  'libs/tasks': ['libs/core', 'libs/task'],
  'libs/jetstream': ['libs/core'],
  'libs/postgres': ['libs/core'],
  'libs/runtime': [],
  'libs/client': ['libs/core', 'libs/jetstream'],
  'apps/api': ['libs/core', 'libs/postgres', 'libs/jetstream', 'libs/runtime'],
  'apps/scheduler': ['libs/core', 'libs/postgres', 'libs/jetstream', 'libs/runtime'],
  'apps/recorder': ['libs/core', 'libs/postgres', 'libs/jetstream', 'libs/runtime'],
  'apps/worker': ['libs/core', 'libs/task', 'libs/tasks', 'libs/jetstream', 'libs/runtime'],
  // The demo's tasks are written as a user would write them; a start reads the configuration of what it starts.
  infra: ['libs/runtime', 'libs/task'],
};

/** Tests may start servers and whole apps, whatever their package imports. */
const NOT_TESTS = '\\.test\\.ts$';

const ours = '^(apps|libs)/[^/]+|^infra';

export default {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(([from, to]) => ({
      name: `direction: ${from}`,
      comment: `${from} may import ${to.length === 0 ? 'no package of ours' : to.join(', ')}`,
      severity: 'error',
      from: { path: `^${from}/`, pathNot: NOT_TESTS },
      to: { path: ours, pathNot: [from, ...to].map((path) => `^${path}/`) },
    })),
    {
      name: 'only through the door',
      comment:
        'a package is entered by its index.ts (or another entry of its "exports"), never by a file inside',
      severity: 'error',
      from: { path: '^((?:apps|libs)/[^/]+|infra|test)/' },
      to: {
        path: '^(?:apps|libs)/[^/]+/src/',
        pathNot: ['^(?:apps|libs)/[^/]+/src/(index|testing|http|http/index)\\.ts$', '^$1/'],
      },
    },
    {
      name: 'NATS stays in its package',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/jetstream/', NOT_TESTS] },
      to: { path: '@nats-io/' },
    },
    {
      name: 'the ORM stays in its package',
      comment: "libs/tasks asks a user's database, never ours, so it has a driver of its own",
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/postgres/', '^libs/tasks/', NOT_TESTS] },
      to: { path: 'node_modules/(@mikro-orm|pg|kysely)/' },
    },
    {
      name: 'the ORM is nothing for tasks',
      severity: 'error',
      from: { path: '^libs/tasks/' },
      to: { path: 'node_modules/(@mikro-orm|kysely)/' },
    },
    {
      name: 'the schemas are for the API',
      comment: 'they cost every other process part of its start: of `@jetbeat/core/http` it may name types',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^apps/api/', '^libs/core/src/http/', NOT_TESTS] },
      to: { path: '^libs/core/src/http/', dependencyTypesNot: ['type-only'] },
    },
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'core is pure',
      comment: 'no clock, network, environment or logger inside core: of Node only what computes',
      severity: 'error',
      from: { path: '^libs/core/src', pathNot: NOT_TESTS },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.jetbeat|coverage|(^|/)dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
