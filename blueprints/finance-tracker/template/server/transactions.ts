import { TRPCError } from '@trpc/server';
import { z } from 'zod';
import { rows } from './db.ts';
import { procedure, router } from './trpc.ts';

const id = z.number().int().positive();
const day = z.iso.date();
export const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month looks like 2026-03');
const amountCents = z
  .number()
  .int()
  .min(-1_000_000_000_000)
  .max(1_000_000_000_000)
  .refine((cents) => cents !== 0, 'an amount cannot be zero');

const draft = z.object({
  description: z.string().trim().min(1).max(200),
  /** Positive is money in, negative is money out. */
  amountCents,
  occurredOn: day.optional(),
  categoryId: id.optional(),
  accountId: id.optional(),
});

const filter = z.object({
  month: month.optional(),
  categoryId: id.optional(),
  accountId: id.optional(),
  search: z.string().trim().max(100).optional(),
  limit: z.number().int().min(1).max(200).default(100),
  cursor: z.object({ occurredOn: day, id }).optional(),
});

export interface Transaction {
  id: number;
  occurredOn: string;
  description: string;
  amountCents: number;
  categoryId: number;
  categoryName: string;
  categoryColour: string;
  accountId: number;
  accountName: string;
}

const SELECT = `
  SELECT t.id, t.occurred_on AS "occurredOn", t.description, t.amount_cents AS "amountCents",
         c.id AS "categoryId", c.name AS "categoryName", c.colour AS "categoryColour",
         a.id AS "accountId", a.name AS "accountName"
    FROM transactions t
    JOIN categories c ON c.id = t.category_id
    JOIN accounts a ON a.id = t.account_id`;

export const transactions = router({
  list: procedure.input(filter.default({ limit: 100 })).query(async ({ input }) => {
    const found = await rows<Transaction>(
      `${SELECT}
        WHERE ($1::date IS NULL OR (t.occurred_on >= $1::date AND t.occurred_on < $1::date + interval '1 month'))
          AND ($2::bigint IS NULL OR t.category_id = $2)
          AND ($3::bigint IS NULL OR t.account_id = $3)
          AND ($4::text IS NULL OR position(lower($4) IN lower(t.description)) > 0)
          AND ($5::date IS NULL OR (t.occurred_on, t.id) < ($5::date, $6::bigint))
        ORDER BY t.occurred_on DESC, t.id DESC
        LIMIT $7`,
      [
        input.month === undefined ? null : `${input.month}-01`,
        input.categoryId ?? null,
        input.accountId ?? null,
        input.search || null,
        input.cursor?.occurredOn ?? null,
        input.cursor?.id ?? null,
        input.limit + 1,
      ],
    );
    const items = found.slice(0, input.limit);
    const last = items.at(-1);
    const nextCursor = found.length > input.limit && last ? { occurredOn: last.occurredOn, id: last.id } : undefined;
    return { items, nextCursor };
  }),

  create: procedure.input(draft).mutation(async ({ input }) => {
    const [created] = await known(
      rows<{ id: number }>(
        `INSERT INTO transactions (description, amount_cents, occurred_on, category_id, account_id)
         VALUES ($1, $2, coalesce($3::date, current_date),
           coalesce($4::bigint, (SELECT id FROM categories
             WHERE direction = CASE WHEN $2::bigint > 0 THEN 'income' ELSE 'expense' END
             ORDER BY position DESC LIMIT 1)),
           coalesce($5::bigint, (SELECT id FROM accounts ORDER BY position, id LIMIT 1)))
         RETURNING id`,
        [input.description, input.amountCents, input.occurredOn ?? null, input.categoryId ?? null, input.accountId ?? null],
      ),
    );
    return await byId(created?.id);
  }),

  update: procedure.input(draft.partial().extend({ id })).mutation(async ({ input }) => {
    const [updated] = await known(
      rows<{ id: number }>(
        `UPDATE transactions
            SET description = coalesce($2, description), amount_cents = coalesce($3, amount_cents),
                occurred_on = coalesce($4::date, occurred_on), category_id = coalesce($5, category_id),
                account_id = coalesce($6, account_id), updated_at = now()
          WHERE id = $1 RETURNING id`,
        [
          input.id,
          input.description ?? null,
          input.amountCents ?? null,
          input.occurredOn ?? null,
          input.categoryId ?? null,
          input.accountId ?? null,
        ],
      ),
    );
    return await byId(updated?.id);
  }),

  delete: procedure.input(z.object({ id })).mutation(async ({ input }) => {
    const [deleted] = await rows<{ id: number }>('DELETE FROM transactions WHERE id = $1 RETURNING id', [input.id]);
    if (!deleted) throw new TRPCError({ code: 'NOT_FOUND', message: 'That transaction no longer exists.' });
    return deleted;
  }),
});

async function byId(wanted: number | undefined): Promise<Transaction> {
  const [found] = wanted === undefined ? [] : await rows<Transaction>(`${SELECT} WHERE t.id = $1`, [wanted]);
  if (!found) throw new TRPCError({ code: 'NOT_FOUND', message: 'That transaction no longer exists.' });
  return found;
}

/** A category or account that does not exist is the caller's mistake, not the server's. */
async function known<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if ((cause as { code?: string }).code !== '23503') throw cause;
    throw new TRPCError({ code: 'BAD_REQUEST', message: 'That category or account does not exist.', cause });
  }
}
