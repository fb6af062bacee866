import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import {
  HealthSchema,
  JobAcceptedSchema,
  JobPageSchema,
  JobSchema,
  OccurrencePageSchema,
  ProblemSchema,
  SchedulePageSchema,
  ScheduleSchema,
} from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';

/** The answers by the names that they have in the description. */
const COMPONENTS = {
  Problem: ProblemSchema,
  Job: JobSchema,
  JobPage: JobPageSchema,
  JobAccepted: JobAcceptedSchema,
  Schedule: ScheduleSchema,
  SchedulePage: SchedulePageSchema,
  OccurrencePage: OccurrencePageSchema,
  Health: HealthSchema,
};

/** Describes the API as OpenAPI 3.1 at `/openapi.json`, with a reference at `/docs` that loads nothing from elsewhere. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  for (const [name, schema] of Object.entries(COMPONENTS)) app.addSchema({ ...schema, $id: name });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Jetbeat',
        version: '1',
        description: 'Runs jobs on time and keeps them until they are done.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'jobs', description: 'Requests to run a task.' },
        { name: 'schedules', description: 'Rules that make jobs in time.' },
        { name: 'health', description: 'Whether this process does its work.' },
      ],
      components: {
        securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'jb_<id>_<secret>' } },
      },
      security: [{ apiKey: [] }],
    },
    transformObject: (document) =>
      withOptionalBodies('openapiObject' in document ? document.openapiObject : {}),
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `schema-${index}`),
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { deepLinking: true, validatorUrl: null, persistAuthorization: false },
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs', 302));
}

/** What is looked at here of a description. */
interface Described {
  readonly paths?: Record<
    string,
    { post?: { requestBody?: { required?: boolean; content?: Record<string, { schema?: object }> } } }
  >;
}

/** A body in which nothing is required may be left out; the generator knows only bodies that must be there. */
function withOptionalBodies<Document extends object>(document: Document): Document {
  for (const { post } of Object.values((document as Described).paths ?? {})) {
    const schema = post?.requestBody?.content?.['application/json']?.schema;
    if (post?.requestBody && schema && !('required' in schema)) post.requestBody.required = false;
  }
  return document;
}
