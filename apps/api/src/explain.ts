import { escapePointer, type Issue } from '@jetbeat/core';
import { nearest } from '@jetbeat/runtime';

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

/** Turns findings into issues that a caller can act on: unknown fields by name, and of alternatives the one that was meant. */
export function explain(findings: readonly Finding[], schema: object, prefix = ''): Issue[] {
  const issues = chooseAlternatives(findings).flatMap((finding) => toIssues(finding, schema, prefix));
  const seen = new Set<string>();
  return issues.filter((issue) => {
    const key = `${issue.pointer} ${issue.code}`;
    return !seen.has(key) && seen.add(key);
  });
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
  return ofKind + branch.reduce((sum, { keyword }) => sum + (keyword === 'required' ? 3 : 1), 0);
}

function toIssues(finding: Finding, schema: object, prefix: string): Issue[] {
  const { keyword, instancePath, params } = finding;
  const pointer = prefix + instancePath;
  switch (keyword) {
    case 'boolean':
      // The twin of `additionalProperties` for each single field.
      return [];
    case 'additionalProperties': {
      const { additionalProperties = [] } = params as { additionalProperties?: readonly string[] };
      const known = Object.keys(schemaAt(schema, finding.schemaPath).properties ?? {});
      return additionalProperties.map((field) => unknownField(field, known, pointer));
    }
    case 'required': {
      const { requiredProperties = [] } = params as { requiredProperties?: readonly string[] };
      return requiredProperties.map((field) => ({
        pointer: `${pointer}/${escapePointer(field)}`,
        code: 'missing_field',
        message: `"${field}" is missing`,
      }));
    }
    case 'enum': {
      const { enum: allowed = [] } = schemaAt(schema, finding.schemaPath) as { enum?: readonly unknown[] };
      return [{ pointer, code: 'invalid_value', message: `must be one of ${allowed.join(', ')}` }];
    }
    default: {
      const { description } = schemaAt(schema, finding.schemaPath) as { description?: string };
      const hint = keyword === 'pattern' && description ? ` (${description})` : '';
      return [
        {
          pointer,
          code: keyword === 'type' ? 'invalid_type' : 'invalid_value',
          message: finding.message + hint,
        },
      ];
    }
  }
}

function unknownField(field: string, known: readonly string[], pointer: string): Issue {
  const suggestion = nearest(field, known);
  const hint = suggestion
    ? `did you mean "${suggestion}"?`
    : known.length > 0
      ? `known here are ${known.join(', ')}`
      : 'remove it';
  // A stranger's name may be as long as the body.
  const name = field.slice(0, 128);
  return {
    pointer: `${pointer}/${escapePointer(name)}`,
    code: 'unknown_field',
    message: `"${name}" is not known here: ${hint}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function schemaAt(root: object, path: string): { properties?: object } {
  let schema: unknown = root;
  for (const step of path.split('/').slice(1)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    schema = (schema as Record<string, unknown> | undefined)?.[key];
  }
  return typeof schema === 'object' && schema !== null ? schema : {};
}

function isWithin(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}
