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
  const problems = meant(errors).flatMap((error) => {
    if (error.keyword === 'additionalProperties') return unknownKeys(error, file);
    // The twin of `additionalProperties` for each single key.
    if (error.keyword === 'boolean') return [];
    const place = [...names].find(([pointer]) => isWithin(error.instancePath, pointer))?.[1];
    const where = place ?? `${file}: ${dotted(error.instancePath) || 'the file'}`;
    const hint = place && isBlankInList(value, error.instancePath) ? '; a list is separated by commas' : '';
    return [`${where} ${expected(error)}${shown(value, error.instancePath)}${hint}`];
  });
  return [...new Set(problems)];
}

/** Of the alternatives of a union the one that was meant: whose type fits. Where there is none, all types are named. */
function meant(errors: readonly SchemaError[]): readonly SchemaError[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath }) => instancePath);
  const fits = unions.filter((place) =>
    errors.some(({ keyword, instancePath }) =>
      instancePath === place ? keyword !== 'anyOf' && keyword !== 'type' : isWithin(instancePath, place),
    ),
  );
  return errors.filter(({ keyword, instancePath }) =>
    keyword === 'type' ? !fits.includes(instancePath) : keyword !== 'anyOf' || !unions.includes(instancePath),
  );
}

function unknownKeys(error: SchemaError, file: string): string[] {
  const { additionalProperties = [] } = error.params as { additionalProperties?: readonly string[] };
  const known = keysAt(error.instancePath);
  return additionalProperties.map((key) => {
    const place = dotted(`${error.instancePath}/${key}`);
    if (known.length === 0) {
      const [example] = schemaOf(error.instancePath).propertyNames?.examples ?? [];
      const hint = example === undefined ? '' : `: write a key such as ${JSON.stringify(example)}`;
      return `${file}: ${place} is not allowed here${hint}`;
    }
    const meant = nearest(key, known);
    return `${file}: unknown key ${place}${meant ? `: did you mean ${meant}?` : `: known here are ${known.join(', ')}`}`;
  });
}

interface KeyedSchema {
  readonly properties?: Record<string, object>;
  readonly patternProperties?: Record<string, object>;
  readonly items?: object;
  readonly anyOf?: readonly KeyedSchema[];
  /** What a name looks like that the reader chooses himself. */
  readonly propertyNames?: { readonly examples?: readonly string[] };
}

/** The keys that the schema knows at a place. */
function keysAt(pointer: string): string[] {
  const schema = schemaOf(pointer);
  return (schema.anyOf ?? [schema]).flatMap(({ properties = {} }) => Object.keys(properties));
}

/** The schema of what stands at a place. */
function schemaOf(pointer: string): KeyedSchema {
  let schema: KeyedSchema = FileSchema;
  for (const key of pointer.split('/').slice(1))
    schema =
      (schema.anyOf ?? [schema]).map((one) => within(one, key)).find((found) => found !== undefined) ?? {};
  return schema;
}

/** Where the reader chose the name himself, one schema is there for all names, as for all items of a list. */
function within({ properties, patternProperties, items }: KeyedSchema, key: string): KeyedSchema | undefined {
  return properties?.[key] ?? items ?? Object.values(patternProperties ?? {})[0];
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

/** In a variable: whoever writes blanks between the items of a list makes one item of them. */
function isBlankInList(value: unknown, pointer: string): boolean {
  const found = /\/\d+$/.test(pointer) ? at(value, pointer) : undefined;
  return typeof found === 'string' && /\s/.test(found);
}

function at(value: unknown, pointer: string): unknown {
  let found = value;
  for (const key of pointer.split('/').slice(1))
    found = (found as Record<string, unknown> | undefined)?.[key];
  return found;
}

/** Secrets are not repeated in a message, nor what stands where a section with secrets in it belongs. */
function shown(value: unknown, pointer: string): string {
  if (
    /^\/(apiKey|nats|database|smtp|postgres|commands|webhooks)(\/|$)|^\/api\/oidc(\/clientSecret)?$/.test(
      pointer,
    )
  )
    return '';
  const found = at(value, pointer);
  return found === undefined || typeof found === 'object'
    ? ''
    : `, not ${JSON.stringify(found).slice(0, 80)}`;
}
