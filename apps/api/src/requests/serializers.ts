import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';

/**
 * Fastify's own way to write answers, but made once for each schema: it makes one for every status of every route, and nearly all of
 * those are the same problem, each of which costs as much as all schemas together.
 */
export function sharedSerializers(): ReturnType<typeof SerializerSelector> {
  const select = SerializerSelector();
  return (schemas, options) => {
    const compile = select(schemas, options);
    const known = new Map<string, ReturnType<typeof compile>>();
    return (route) => {
      const key = JSON.stringify(route.schema);
      const serializer = known.get(key) ?? compile(route);
      known.set(key, serializer);
      return serializer;
    };
  };
}
