import { FileSchema } from './config-schema.ts';
import { nearest } from './nearest.ts';

interface SchemaError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/** Turns what the schema found into one line each, in the names that the reader wrote. */
export function describeProblems(params: {
  errors: readonly SchemaError[];
  /** Name of the configuration file. */
  file: string;
  /** JSON pointer -> environment variable, for the values that came from there. */
  names: ReadonlyMap<string, string>;
  value: unknown;
}): string[] {
  const { errors, file, names, value } = params;
  const problems = errors.flatMap((error) => {
    if (error.keyword === 'additionalProperties') return unknownKeys(error, file);
    // The twin of `additionalProperties` for each single key.
    if (error.keyword === 'boolean') return [];
    const place = [...names].find(([pointer]) => isWithin(error.instancePath, pointer))?.[1];
    const where = place ?? `${file}: ${dotted(error.instancePath) || 'the file'}`;
    return [`${where} ${expected(error)}${shown(value, error.instancePath)}`];
  });
  return [...new Set(problems)];
}

function unknownKeys(error: SchemaError, file: string): string[] {
  const { additionalProperties = [] } = error.params as { additionalProperties?: readonly string[] };
  const known = keysAt(error.instancePath);
  return additionalProperties.map((key) => {
    const place = dotted(`${error.instancePath}/${key}`);
    if (known.length === 0) return `${file}: ${place} is not allowed here`;
    const meant = nearest(key, known);
    return `${file}: unknown key ${place}${meant ? `: did you mean ${meant}?` : `: known here are ${known.join(', ')}`}`;
  });
}

/** The keys that the schema knows at a place. */
function keysAt(pointer: string): string[] {
  let schema: { properties?: Record<string, object> } = FileSchema;
  for (const key of pointer.split('/').slice(1)) schema = schema.properties?.[key] ?? {};
  return Object.keys(schema.properties ?? {});
}

function isWithin(pointer: string, outer: string): boolean {
  return pointer === outer || pointer.startsWith(`${outer}/`);
}

function dotted(pointer: string): string {
  return pointer.slice(1).replaceAll('/', '.');
}

/** What a value should have been, in the words of the schema where the checker has none. */
function expected({ keyword, schemaPath, message }: SchemaError): string {
  const schema = schemaAt(schemaPath);
  if (keyword === 'enum') return `must be one of ${(schema.enum ?? []).join(', ')}`;
  const [example] = schema.examples ?? [];
  if (keyword !== 'pattern' || example === undefined) return message;
  return `must look like ${JSON.stringify(example)} (pattern ${schema.pattern})`;
}

interface Described {
  readonly pattern?: string;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
}

function schemaAt(path: string): Described {
  let schema: unknown = FileSchema;
  for (const step of path.split('/').slice(1))
    schema = (schema as Record<string, unknown> | undefined)?.[step];
  return (schema ?? {}) as Described;
}

/** Secrets are not repeated in a message, nor what stands where a section with secrets in it belongs. */
function shown(value: unknown, pointer: string): string {
  if (/^\/(apiKey|nats|database)(\/|$)/.test(pointer)) return '';
  let found = value;
  for (const key of pointer.split('/').slice(1))
    found = (found as Record<string, unknown> | undefined)?.[key];
  return found === undefined || typeof found === 'object'
    ? ''
    : `, not ${JSON.stringify(found).slice(0, 80)}`;
}
