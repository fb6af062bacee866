import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import {
  ApiKeyCreatedSchema,
  ApiKeyPageSchema,
  ApiKeySchema,
  AuditPageSchema,
  BackfillSchema,
  BatchPageSchema,
  BatchSchema,
  DeadLetterPageSchema,
  DeadLetterSchema,
  EndedSessionsSchema,
  ForecastSchema,
  HealthSchema,
  JobAcceptedSchema,
  JobCountsSchema,
  JobPageSchema,
  JobSchema,
  JobStreamEventSchema,
  JobsAcceptedSchema,
  LiveEventSchema,
  OccurrencePageSchema,
  PreviewSchema,
  ProblemSchema,
  PurgeAnswerSchema,
  QueuePageSchema,
  QueueSchema,
  ReplaySchema,
  ScheduleBatchAnswerSchema,
  SchedulePageSchema,
  ScheduleSchema,
  SessionPageSchema,
  SessionSchema,
  SignInLinkSchema,
  SignInWaysSchema,
  StatsSchema,
  TaskPageSchema,
  TaskSchema,
  TriggeredSchema,
  WorkerPageSchema,
  WorkerSchema,
  WorkerToldSchema,
} from '@jetbeat/core/http';
import type { FastifyInstance } from 'fastify';
import { PAGE_CSP } from '../edges/security-headers.ts';
import { describeHeaders } from './describe-headers.ts';
import { nameSchemas } from './name-schemas.ts';
import { referenceFiles, showKey } from './reference.ts';
import { describedBy } from './written.ts';

/** The answers by the names that they have in the description. */
const COMPONENTS = {
  Problem: ProblemSchema,
  Job: JobSchema,
  JobPage: JobPageSchema,
  JobAccepted: JobAcceptedSchema,
  JobCounts: JobCountsSchema,
  JobsAccepted: JobsAcceptedSchema,
  Schedule: ScheduleSchema,
  SchedulePage: SchedulePageSchema,
  ScheduleBatchAnswer: ScheduleBatchAnswerSchema,
  OccurrencePage: OccurrencePageSchema,
  Triggered: TriggeredSchema,
  Backfill: BackfillSchema,
  Forecast: ForecastSchema,
  Preview: PreviewSchema,
  Queue: QueueSchema,
  QueuePage: QueuePageSchema,
  PurgeAnswer: PurgeAnswerSchema,
  Task: TaskSchema,
  TaskPage: TaskPageSchema,
  DeadLetter: DeadLetterSchema,
  DeadLetterPage: DeadLetterPageSchema,
  Replay: ReplaySchema,
  ApiKey: ApiKeySchema,
  ApiKeyPage: ApiKeyPageSchema,
  ApiKeyCreated: ApiKeyCreatedSchema,
  Worker: WorkerSchema,
  WorkerPage: WorkerPageSchema,
  WorkerTold: WorkerToldSchema,
  Batch: BatchSchema,
  BatchPage: BatchPageSchema,
  Session: SessionSchema,
  SessionPage: SessionPageSchema,
  EndedSessions: EndedSessionsSchema,
  SignInLink: SignInLinkSchema,
  SignInWays: SignInWaysSchema,
  AuditPage: AuditPageSchema,
  LiveEvent: LiveEventSchema,
  JobStreamEvent: JobStreamEventSchema,
  Stats: StatsSchema,
  Health: HealthSchema,
};

const TITLE = 'Jetbeat API';
const ICON = {
  type: 'image/svg+xml',
  content:
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M2 17h7l4-11 6 20 4-9h7" fill="none" stroke="#0a84c1" stroke-width="3"/></svg>',
};
const LOGO = {
  type: 'image/svg+xml',
  content: `<svg xmlns="http://www.w3.org/2000/svg" width="180" height="40"><text x="0" y="28" font-family="sans-serif" font-size="24" fill="#fff">${TITLE}</text></svg>`,
};

/** Describes the API as OpenAPI 3.1 at `/openapi.json`, with a reference at `/docs` that loads nothing from elsewhere. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  for (const [name, schema] of Object.entries(COMPONENTS)) app.addSchema({ ...schema, $id: name });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: TITLE,
        version: '1',
        description: 'Runs jobs on time and keeps them until they are done.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'jobs', description: 'Requests to run a task.' },
        { name: 'schedules', description: 'Rules that make jobs in time.' },
        { name: 'queues', description: 'Named lanes of jobs, with their limits.' },
        { name: 'tasks', description: 'What jobs run, with what holds for them.' },
        { name: 'dead letters', description: 'Jobs that are given up, and messages that never were one.' },
        { name: 'workers', description: 'Processes that run jobs.' },
        { name: 'batches', description: 'One thing done with many jobs, on the server.' },
        { name: 'live', description: 'What happens, as it happens.' },
        { name: 'admin', description: 'Who may use the API, and who changed what.' },
        { name: 'sessions', description: 'Signing in with a browser.' },
        { name: 'stats', description: 'How things stand, in one look.' },
        { name: 'health', description: 'Whether this process does its work.' },
      ],
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'jb_<id>_<secret>' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: '__Host-jetbeat',
            description:
              'What signing in sets; over plain http on the machine itself it is named `jetbeat-<port>`.',
          },
        },
      },
      security: [{ apiKey: [] }, { session: [] }],
    },
    transformObject: (document) =>
      nameSchemas(readyToTry(describeHeaders('openapiObject' in document ? document.openapiObject : {}))),
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `schema-${index}`),
    },
  });
  const described = describedBy(app);
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiHooks: {
      preHandler: (request, reply, done) => {
        const { url } = request.routeOptions;
        if (url === '/docs/json' || url === '/docs/yaml')
          described(request, reply, url === '/docs/json' ? 'json' : 'yaml');
        else done();
      },
    },
    staticCSP: PAGE_CSP,
    theme: {
      title: TITLE,
      favicon: [{ ...ICON, filename: 'icon.svg', rel: 'icon', sizes: 'any' }],
      ...(await referenceFiles()),
    },
    logo: LOGO,
    uiConfig: {
      deepLinking: true,
      validatorUrl: null,
      persistAuthorization: false,
      requestInterceptor: showKey,
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, (request, reply) => described(request, reply, 'json'));
  app.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/docs', 302));
}

/** What is looked at here of a description. */
interface Described {
  readonly paths?: Record<string, Record<string, Operation>>;
}
interface Operation {
  readonly requestBody?: { required?: boolean; content?: Record<string, { schema?: object }> };
  readonly parameters?: { in: string; example?: unknown }[];
}

/**
 * Makes the requests that the reference offers such that they can be sent as they are. A body in which nothing is required
 * may be left out; the generator knows only bodies that must be there. And examples of filters would be filled in all at
 * once, and then find nothing.
 */
function readyToTry<Document extends object>(document: Document): Document {
  const paths = Object.values((document as Described).paths ?? {});
  for (const { requestBody, parameters = [] } of paths.flatMap((methods) => Object.values(methods))) {
    const schema = requestBody?.content?.['application/json']?.schema;
    if (requestBody && schema && !('required' in schema || 'minProperties' in schema))
      requestBody.required = false;
    for (const parameter of parameters) if (parameter.in === 'query') delete parameter.example;
  }
  return document;
}
