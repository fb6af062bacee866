import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';

/** Schemas that others refer to, by their ids. */
type Shared = Readonly<Record<string, object>>;
/** Writes an answer. */
type Serializer = (answer: unknown) => string;

/**
 * Fastify's own way to write answers, but made once for each schema, when the first answer of its kind is written, and of those schemas
 * alone that it refers to. Fastify makes one for every status of every route, nearly all of which are the same problem, and each costs
 * as much as all schemas together: a third of what an API's start takes.
 */
export function sharedSerializers(): ReturnType<typeof SerializerSelector> {
  const select = SerializerSelector();
  return (schemas, options) => {
    const shared = (schemas ?? {}) as Shared;
    const known = new Map<string, Serializer>();
    return (route) => {
      const text = JSON.stringify(route.schema);
      const serializer =
        known.get(text) ?? whenNeeded(() => select(referredTo(text, shared), options)(route));
      known.set(text, serializer);
      return serializer;
    };
  };
}

function whenNeeded(make: () => Serializer): Serializer {
  let made: Serializer | undefined;
  return (answer) => {
    made ??= make();
    return made(answer);
  };
}

/** Those of the schemas that this text refers to, and those to which they do. */
function referredTo(text: string, shared: Shared): Shared {
  const found: Record<string, object> = {};
  const look = (part: string) => {
    for (const [, id = ''] of part.matchAll(/"\$ref":"([^"#]+)/g)) {
      const schema = shared[id];
      if (!schema || found[id]) continue;
      found[id] = schema;
      look(JSON.stringify(schema));
    }
  };
  look(text);
  return found;
}
