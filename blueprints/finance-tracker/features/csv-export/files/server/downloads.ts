import { TRPCError } from '@trpc/server';
import { z } from 'zod';
import { rows } from './db.ts';
import { procedure, router } from './trpc.ts';

const MAX_ROWS = 50_000;
const HEAD = ['Date', 'Description', 'Category', 'Account', 'Amount'];

interface Line {
  occurredOn: string;
  description: string;
  category: string;
  account: string;
  amount: string;
}

const id = z.number().int().positive();

export const downloads = router({
  /** Newest first, as the ledger shows them; every month. */
  transactions: procedure
    .input(z.object({ categoryId: id.optional(), accountId: id.optional(), search: z.string().trim().max(100).optional() }))
    .query(async ({ input }) => {
      const found = await rows<Line>(
        `SELECT t.occurred_on AS "occurredOn", t.description, c.name AS category, a.name AS account,
                to_char(t.amount_cents / 100.0, 'FM9999999999990.00') AS amount
           FROM transactions t JOIN categories c ON c.id = t.category_id JOIN accounts a ON a.id = t.account_id
          WHERE ($1::bigint IS NULL OR t.category_id = $1) AND ($2::bigint IS NULL OR t.account_id = $2)
            AND ($3::text IS NULL OR position(lower($3) IN lower(t.description)) > 0)
          ORDER BY t.occurred_on DESC, t.id DESC LIMIT $4`,
        [input.categoryId ?? null, input.accountId ?? null, input.search || null, MAX_ROWS + 1],
      );
      if (found.length > MAX_ROWS) throw new TRPCError({ code: 'BAD_REQUEST', message: `More than ${MAX_ROWS} transactions: narrow the filters first.` });
      const lines = found.map((line) => [line.occurredOn, text(line.description), text(line.category), text(line.account), line.amount]);
      // The mark tells spreadsheets that this is UTF-8.
      return { rows: found.length, csv: `\ufeff${[HEAD, ...lines].map((cells) => cells.map(quote).join(',')).join('\r\n')}\r\n` };
    }),
});

/** A spreadsheet would take these for formulas. */
function text(value: string): string {
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
