import Type from 'typebox';
import { CLOSED, Time } from './format.ts';

/** Answer of `/livez` and `/readyz`. */
export const HealthSchema = Type.Object(
  {
    ok: Type.Boolean(),
    checks: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          ok: Type.Boolean(),
          detail: Type.Optional(Type.String()),
          lastProgressAt: Type.Optional(Time),
        },
        CLOSED,
      ),
    ),
  },
  { ...CLOSED, title: 'Health' },
);
