/** A JSON Schema, as far as it is looked at here. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly examples?: readonly unknown[];
}

/** A parameter of an operation. */
export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

/** What the description says of one method of one address. */
export interface Operation {
  readonly name: string;
  /** In capitals. */
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly schema: Schema; readonly example?: unknown } | undefined;
  /** By status: what an answer with it may be, by media type; nothing in it: there is no body. */
  readonly answers: ReadonlyMap<number, ReadonlyMap<string, Schema>>;
  /** By status: the headers that an answer with it has. */
  readonly headers: ReadonlyMap<number, readonly string[]>;
}

interface Header {
  readonly $ref?: string;
  readonly required?: boolean;
}
interface Content {
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema; readonly example?: unknown }>>;
}

/** An OpenAPI description, as it is served. */
export interface Description {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly operationId: string;
            readonly parameters?: readonly Parameter[];
            readonly requestBody?: Content;
            readonly responses: Readonly<Record<string, Content>>;
          }
        >
      >
    >
  >;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly headers: Readonly<Record<string, Header>>;
  };
}

/** The operations of a description, every reference replaced by what it refers to. */
export function operationsOf(description: Description): Operation[] {
  const inline = <T>(value: T): T => resolve(value, description.components.schemas) as T;
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters = [], requestBody, responses }]) => {
      const [body] = Object.values(requestBody?.content ?? {});
      const answers = Object.entries(responses).map(([status, { content = {} }]) => {
        const types = Object.entries(content).map(
          ([type, { schema = {} }]) => [type, inline(schema)] as const,
        );
        return [Number(status), new Map(types)] as const;
      });
      const headers = Object.entries(responses).map(([status, answer]) => {
        const all = Object.entries(answer.headers ?? {});
        const required = all.filter(([, header]) => headerOf(header, description).required);
        return [Number(status), required.map(([name]) => name.toLowerCase())] as const;
      });
      return {
        name: operationId,
        method: method.toUpperCase(),
        path,
        parameters: inline(parameters),
        body: body?.schema && { schema: inline(body.schema), example: body.example },
        answers: new Map(answers),
        headers: new Map(headers),
      };
    }),
  );
}

function headerOf(header: Header, { components }: Description): Header {
  if (header.$ref === undefined) return header;
  const found = components.headers[header.$ref.replace('#/components/headers/', '')];
  if (!found) throw new Error(`the description refers to ${header.$ref}, which is not there`);
  return found;
}

function resolve(value: unknown, schemas: Readonly<Record<string, Schema>>): unknown {
  if (Array.isArray(value)) return value.map((one) => resolve(one, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref } = value as Schema;
  if ($ref === undefined)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolve(one, schemas)]));
  const name = $ref.replace('#/components/schemas/', '');
  const found = schemas[name];
  if (!found) throw new Error(`the description refers to ${$ref}, which is not there`);
  return resolve(found, schemas);
}
