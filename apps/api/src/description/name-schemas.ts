/** A JSON value. */
type Json = Record<string, unknown>;

/** What holds examples and values, and no schemas. */
const NO_SCHEMAS = new Set(['example', 'examples', 'default', 'enum', 'const']);

/**
 * Puts every schema of a description that has a title under `components.schemas`, by that name: a third of the text is left, and a
 * generator of clients makes one type of it.
 */
export function nameSchemas<Document extends object>(document: Document): Document {
  const described = document as { components?: { schemas?: Json }; paths?: Json };
  const known = described.components?.schemas;
  if (!known || !described.paths) return document;
  for (const [name, schema] of Object.entries(known)) known[name] = inside(schema);
  described.paths = inside(described.paths) as Json;
  return document;

  function inside(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(named);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, NO_SCHEMAS.has(key) ? inner : named(inner)]),
    );
  }

  function named(value: unknown): unknown {
    const schema = inside(value);
    const title = titleOf(schema);
    if (title === undefined || !known) return schema;
    known[title] ??= schema;
    // Another one of the same title stays where it is.
    return JSON.stringify(known[title]) === JSON.stringify(schema)
      ? { $ref: `#/components/schemas/${title}` }
      : schema;
  }
}

function titleOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { title, type, anyOf } = value as { title?: unknown; type?: unknown; anyOf?: unknown };
  const isSchema = typeof type === 'string' || Array.isArray(anyOf);
  return isSchema && typeof title === 'string' && /^[A-Za-z]+$/.test(title) ? title : undefined;
}
