import {
  DURATION_PATTERN,
  durationMeant,
  escapePointer,
  type Issue,
  meantOf,
  rateMeant,
  unknownField,
} from '@jetbeat/core';

/** What a schema check found, as TypeBox tells it. */
export interface Finding {
  readonly keyword: string;
  /** Where in the schema, e.g. `#/properties/when/anyOf/0`. */
  readonly schemaPath: string;
  /** Where in the value: a JSON pointer. */
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/** What is looked at here of a schema. */
interface Described {
  readonly properties?: object;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Described[];
  readonly enum?: readonly unknown[];
  readonly type?: unknown;
  readonly items?: Described;
  readonly pattern?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
}

/** Letters of an example that is repeated; schemas of inputs are written by others. */
const MAX_EXAMPLE = 64;

/**
 * Turns findings into issues that a caller can act on: unknown fields by name, and of alternatives the one that was meant.
 * @param value what was checked, where more than its schema is to be said of it
 */
export function explain(findings: readonly Finding[], schema: object, prefix = '', value?: unknown): Issue[] {
  const issues = chooseAlternatives(findings).flatMap((finding) => {
    const meant = meantBy(valueAt(value, finding.instancePath), schemaAt(schema, finding.schemaPath));
    const found = toIssues(finding, schema, prefix);
    return meant === undefined ? found : found.map((issue) => suggesting(issue, meant));
  });
  const seen = new Set<string>();
  return issues.filter((issue) => {
    const key = `${issue.pointer} ${issue.code}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** What somebody probably meant who has written a duration or one of some words in another way, or one thing in place of a list. */
function meantBy(
  value: unknown,
  { pattern, type, items = {}, enum: words = [], properties = {} }: Described,
): string | undefined {
  if (type === 'array' && typeof value === 'string' && value.length <= MAX_EXAMPLE)
    return JSON.stringify([items.enum?.includes(value) ? value : (meantBy(value, items) ?? value)]);
  if ('limit' in properties && 'period' in properties) return rateMeant(value);
  if (pattern === DURATION_PATTERN) return durationMeant(value);
  return typeof value === 'string'
    ? meantOf(
        value,
        words.filter((word) => typeof word === 'string'),
      )
    : undefined;
}

function suggesting(issue: Issue, suggestion: string): Issue {
  const { message } = issue;
  const joint = /[.)]$/.test(message) ? ' Did' : '; did';
  const shown = /^[[{]/.test(suggestion) ? suggestion : `"${suggestion}"`;
  return { ...issue, suggestion, message: `${message}${joint} you mean ${shown}?` };
}

/** A union fails with the findings of every alternative: only those of the alternative that fits best say something. */
function chooseAlternatives(findings: readonly Finding[]): readonly Finding[] {
  const union = findings
    .filter(({ keyword }) => keyword === 'anyOf')
    .sort((a, b) => a.schemaPath.length - b.schemaPath.length)[0];
  if (!union) return findings;
  const branches = new Map<string, Finding[]>();
  const others: Finding[] = [];
  const path = `${union.schemaPath}/anyOf/`;
  for (const finding of findings) {
    if (finding === union) continue;
    if (!finding.schemaPath.startsWith(path) || !isWithin(finding.instancePath, union.instancePath)) {
      others.push(finding);
      continue;
    }
    const index = finding.schemaPath.slice(path.length).split('/')[0] ?? '';
    branches.set(index, [...(branches.get(index) ?? []), finding]);
  }
  const chosen = [...branches.values()]
    .map((branch) => chooseAlternatives(branch))
    .sort((a, b) => cost(a, union) - cost(b, union))[0];
  return [...chooseAlternatives(others), ...(chosen ?? [{ ...union, keyword: 'type' }])];
}

function cost(branch: readonly Finding[], union: Finding): number {
  const atRoot = branch.filter(({ instancePath }) => instancePath === union.instancePath);
  const ofKind = atRoot.some(({ keyword }) => keyword === 'type')
    ? 100
    : atRoot.some(({ keyword }) => keyword === 'enum')
      ? 50
      : 0;
  // Who has written the field that makes an alternative has meant it, whatever is wrong inside.
  const isRequired = ({ keyword }: Finding) => keyword === 'required';
  return (
    ofKind + branch.length + 2 * branch.filter(isRequired).length + 10 * atRoot.filter(isRequired).length
  );
}

function toIssues(finding: Finding, root: object, prefix: string): Issue[] {
  const { keyword, schemaPath, params } = finding;
  const pointer = prefix + finding.instancePath;
  const schema = schemaAt(root, schemaPath);
  // The first sentence is the form, what follows is the meaning.
  const description = schema.description?.split(/(?<=\.) /)[0];
  const [shown] = schema.examples ?? [];
  const example = typeof shown === 'string' && shown.length <= MAX_EXAMPLE ? ` For example "${shown}".` : '';
  switch (keyword) {
    case 'boolean':
      return [forbidden(finding, root, prefix)];
    case 'additionalProperties':
      // Comes after what was found of each single field, and not at all when those are very many.
      return [];
    case 'required': {
      const { requiredProperties = [] } = params as { requiredProperties?: readonly string[] };
      const others = alternatives(root, schemaPath).flatMap(({ required = [] }) => required);
      if (others.length > 1)
        return [{ pointer, code: 'missing_field', message: `one of ${others.join(', ')} is missing` }];
      return requiredProperties.map((field) => ({
        pointer: `${pointer}/${escapePointer(field)}`,
        code: 'missing_field',
        message: `"${field}" is missing`,
      }));
    }
    case 'enum': {
      const objects = alternatives(root, schemaPath).map(({ required = [] }) => required[0]);
      const others = objects.flatMap((field) => (field === undefined ? [] : `{"${field}": …}`));
      const values = [...(schema.enum ?? []), ...others];
      const message = `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`;
      return [{ pointer, code: 'invalid_value', message }];
    }
    case 'pattern': {
      const message = description ? `is not of this form: ${description}${example}` : finding.message;
      // The code that a program is given for the same text.
      const code = schema.pattern === DURATION_PATTERN ? 'invalid_duration' : 'invalid_value';
      return [{ pointer, code, message }];
    }
    case 'type': {
      const hint = schema.pattern && description ? ` (${description}${example})` : '';
      return [{ pointer, code: 'invalid_type', message: finding.message + hint }];
    }
    default:
      return [{ pointer, code: 'invalid_value', message: finding.message }];
  }
}

/** A field for which the schema is `false`: it is not known at all, or belongs to another alternative. */
function forbidden(finding: Finding, root: object, prefix: string): Issue {
  const cut = finding.instancePath.lastIndexOf('/');
  const field = readStep(finding.instancePath.slice(cut + 1));
  const pointer = prefix + finding.instancePath.slice(0, cut);
  const path = finding.schemaPath.slice(0, finding.schemaPath.lastIndexOf('/'));
  const { properties = {}, required = [], description } = schemaAt(root, path);
  const among = [properties, ...alternatives(root, path).map((other) => other.properties ?? {})];
  const known = [...new Set(among.flatMap((fields) => Object.keys(fields)))];
  if (known.includes(field) && required.length > 0) {
    const message = `does not go together with ${required.join(', ')}: keep one of them`;
    return { pointer: `${pointer}/${escapePointer(field)}`, code: 'invalid_value', message };
  }
  const issue = unknownField(field, known, pointer);
  return known.length === 0 && description
    ? { ...issue, message: `this name cannot be taken: ${description}` }
    : issue;
}

/** The alternatives of a union of which the schema at `path` is one. */
function alternatives(root: object, path: string): readonly Described[] {
  const union = /^(.*)\/anyOf\/\d+$/.exec(path)?.[1];
  return union === undefined ? [] : (schemaAt(root, union).anyOf ?? []);
}

function schemaAt(root: object, path: string): Described {
  const schema = valueAt(root, path);
  return typeof schema === 'object' && schema !== null ? schema : {};
}

function valueAt(root: unknown, path: string): unknown {
  let value = root;
  for (const step of path.split('/').slice(1))
    value = (value as Record<string, unknown> | null | undefined)?.[readStep(step)];
  return value;
}

/** A step of a JSON pointer, read; TypeBox does not encode it for URIs. */
export function readStep(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function isWithin(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}
