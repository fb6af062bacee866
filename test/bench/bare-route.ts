import Fastify from 'fastify';
import { Pool } from 'pg';

// What the list of jobs would cost without all that the API adds: one route over one statement.
const [url, port] = process.argv.slice(2);
const pool = new Pool({ connectionString: url ?? '', max: 10 });
const app = Fastify();
const COLUMNS =
  'id, task, queue, priority, state, created_at, run_at, started_at, finished_at, reason, error, input, result, meta';

app.get('/readyz', async () => ({ ok: true }));
app.get<{ Querystring: Record<string, string> }>('/api/v1/jobs', async ({ query }) => {
  const { state, task, queue } = query;
  const filters = Object.entries({ state, task, queue }).filter(([, value]) => value !== undefined);
  const where = filters.map(([name], index) => `${name} = $${index + 1}`).join(' and ');
  const { rows } = await pool.query(
    `select ${COLUMNS} from job ${where === '' ? '' : `where ${where}`} order by id desc limit 50`,
    filters.map(([, value]) => value),
  );
  return { items: rows };
});
await app.listen({ host: '127.0.0.1', port: Number(port) });
process.on('SIGTERM', () => void app.close().then(() => pool.end()));
