import { type Checked, escapePointer, type Issue, unknownFields } from '@jetbeat/core';
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { whenDone } from './when-done.ts';

/** What may describe an input: a Standard Schema (https://standardschema.dev), a TypeBox schema or a JSON Schema. */
export type TaskSchema = StandardSchemaV1 | TSchema;

/** The type of a task's input where the task has no schema. */
export interface Unchecked {
  readonly unchecked: true;
}

/** What callers give: the schema's input type. */
export type SchemaInput<Schema> = [Schema] extends [Unchecked]
  ? unknown
  : Schema extends StandardSchemaV1
    ? StandardSchemaV1.InferInput<Schema>
    : Schema extends TSchema
      ? Static<Schema>
      : unknown;

/** What the handler gets: the schema's output type. */
export type SchemaOutput<Schema> = Schema extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<Schema>
  : SchemaInput<Schema>;

/** A schema in the two forms that a task needs. */
export interface InputCheck {
  readonly check: (input: unknown) => Checked | Promise<Checked>;
  /** JSON Schema, where the schema can tell it. */
  readonly jsonSchema: unknown;
}

/**
 * Prepares a schema. A TypeBox or JSON Schema is only checked against: it fills no defaults and converts nothing.
 * @throws TypeError when it is none of the three kinds
 */
export function readSchema(schema: unknown): InputCheck {
  if (isStandard(schema)) {
    return { check: (input) => checkStandard(schema, input), jsonSchema: standardJsonSchema(schema) };
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw new TypeError(
      'input is a Standard Schema (zod, valibot, arktype), a TypeBox schema or a JSON Schema',
    );
  }
  return jsonSchemaCheck(schema);
}

/** arktype's schemas are functions. */
function isStandard(schema: unknown): schema is StandardSchemaV1 {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false;
  const standard = (schema as { '~standard'?: { validate?: unknown } })['~standard'];
  return typeof standard?.validate === 'function';
}

function checkStandard(schema: StandardSchemaV1, input: unknown): Checked | Promise<Checked> {
  return whenDone(schema['~standard'].validate(input), toChecked);
}

function toChecked(checked: StandardSchemaV1.Result<unknown>): Checked {
  if (!checked.issues) return { value: checked.value };
  return {
    issues: checked.issues.map((issue) => ({
      pointer: (issue.path ?? [])
        .map((step) => `/${escapePointer(String(typeof step === 'object' ? step.key : step))}`)
        .join(''),
      code: 'invalid_value',
      message: issue.message,
    })),
  };
}

/** A schema that has no JSON form (a transform, say) is still good for checking. */
function standardJsonSchema(schema: StandardSchemaV1): unknown {
  const standard = schema['~standard'] as Partial<StandardJSONSchemaV1.Props>;
  try {
    return plain(standard.jsonSchema?.input({ target: 'draft-2020-12' }));
  } catch {
    return undefined;
  }
}

/** Without what libraries hang on a schema beside JSON: it travels to other threads and processes. */
function plain(schema: object | undefined): unknown {
  return schema === undefined ? undefined : JSON.parse(JSON.stringify(schema));
}

function jsonSchemaCheck(schema: object): InputCheck {
  const compiled = Compile(schema as TSchema);
  return {
    check(input) {
      if (compiled.Check(input)) return { value: input };
      return { issues: compiled.Errors(input).flatMap((error) => jsonSchemaIssue(schema, error)) };
    },
    jsonSchema: plain(schema),
  };
}

interface ValidationError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly message: string;
}

/** An unknown field comes as two errors, of the field and of the object that holds it: the first says where. */
function jsonSchemaIssue(schema: object, error: ValidationError): Issue[] {
  const { keyword, schemaPath, instancePath, message } = error;
  if (keyword === 'additionalProperties') return [];
  if (keyword !== 'boolean' || !schemaPath.endsWith('/additionalProperties')) {
    return [{ pointer: instancePath, code: 'invalid_value', message }];
  }
  const cut = instancePath.lastIndexOf('/');
  const field = instancePath
    .slice(cut + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  const known = cut === 0 ? Object.keys((schema as { properties?: object }).properties ?? {}) : [];
  if (known.length > 0) return unknownFields({ [field]: true }, known);
  return [{ pointer: instancePath, code: 'unknown_field', message: `"${field}" is not known here` }];
}
