import { TRPCError } from '@trpc/server';
import { z } from 'zod';
import { rows } from './db.ts';
import { month } from './transactions.ts';
import { procedure, router } from './trpc.ts';

export interface Budget {
  categoryId: number;
  name: string;
  colour: string;
  /** Null while the category has no limit. */
  limitCents: number | null;
  spentCents: number;
}

const SELECT = `
  SELECT c.id AS "categoryId", c.name, c.colour, b.limit_cents AS "limitCents",
         coalesce((SELECT -sum(t.amount_cents) FROM transactions t
                    WHERE t.category_id = c.id AND t.amount_cents < 0
                      AND t.occurred_on >= $1::date AND t.occurred_on < $1::date + interval '1 month'), 0)::bigint AS "spentCents"
    FROM categories c LEFT JOIN budgets b ON b.category_id = c.id
   WHERE c.direction = 'expense'`;

export const budgets = router({
  list: procedure
    .input(z.object({ month }))
    .query(({ input }) => rows<Budget>(`${SELECT} ORDER BY b.limit_cents IS NULL, c.position, c.id LIMIT 200`, [`${input.month}-01`])),

  set: procedure
    .input(z.object({ categoryId: z.number().int().positive(), limitCents: z.number().int().min(1).max(1_000_000_000_000).nullable() }))
    .mutation(async ({ input }) => {
      if (input.limitCents === null) {
        await rows('DELETE FROM budgets WHERE category_id = $1', [input.categoryId]);
        return { ok: true as const };
      }
      const found = await rows(
        `INSERT INTO budgets (category_id, limit_cents)
         SELECT id, $2 FROM categories WHERE id = $1 AND direction = 'expense'
         ON CONFLICT (category_id) DO UPDATE SET limit_cents = EXCLUDED.limit_cents, updated_at = now()
         RETURNING category_id`,
        [input.categoryId, input.limitCents],
      );
      if (found.length === 0) throw new TRPCError({ code: 'BAD_REQUEST', message: 'Only a spending category has a budget.' });
      return { ok: true as const };
    }),
});
