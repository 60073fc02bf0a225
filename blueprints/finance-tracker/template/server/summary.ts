import { z } from 'zod';
import { rows } from './db.ts';
import { month } from './transactions.ts';
import { procedure, router } from './trpc.ts';

export interface CategoryTotal {
  categoryId: number;
  name: string;
  colour: string;
  spentCents: number;
  count: number;
}

export interface MonthTotal {
  month: string;
  incomeCents: number;
  expenseCents: number;
}

const TREND_MONTHS = 6;

export const summary = router({
  month: procedure.input(z.object({ month })).query(async ({ input }) => {
    const first = `${input.month}-01`;
    const [byCategory, trend] = await Promise.all([
      rows<CategoryTotal>(
        `SELECT c.id AS "categoryId", c.name, c.colour, (-sum(t.amount_cents))::bigint AS "spentCents", count(*) AS count
           FROM transactions t JOIN categories c ON c.id = t.category_id
          WHERE t.amount_cents < 0 AND t.occurred_on >= $1::date AND t.occurred_on < $1::date + interval '1 month'
          GROUP BY c.id ORDER BY "spentCents" DESC, c.name LIMIT 50`,
        [first],
      ),
      rows<MonthTotal>(
        `SELECT to_char(m, 'YYYY-MM') AS month,
                coalesce(sum(t.amount_cents) FILTER (WHERE t.amount_cents > 0), 0)::bigint AS "incomeCents",
                coalesce(-sum(t.amount_cents) FILTER (WHERE t.amount_cents < 0), 0)::bigint AS "expenseCents"
           FROM generate_series($1::date - ($2 - 1) * interval '1 month', $1::date, interval '1 month') AS m
           LEFT JOIN transactions t ON t.occurred_on >= m AND t.occurred_on < m + interval '1 month'
          GROUP BY m ORDER BY m`,
        [first, TREND_MONTHS],
      ),
    ]);
    const current = trend.at(-1);
    const incomeCents = current?.incomeCents ?? 0;
    const expenseCents = current?.expenseCents ?? 0;
    return { month: input.month, incomeCents, expenseCents, netCents: incomeCents - expenseCents, byCategory, trend };
  }),
});
