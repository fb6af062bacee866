const TEXTS = /'(?:[^']|'')*'/g;
const NUMBERS = /(?<![\w$".])\d+(?:\.\d+)?\b/g;

/**
 * A statement without its literals, since the ORM writes values into it
 * (https://opentelemetry.io/docs/specs/semconv/database/database-spans/#sanitization-of-dbquerytext).
 */
export function withoutValues(statement: string): string {
  return statement.replace(TEXTS, '?').replace(NUMBERS, '?');
}
