import { rows } from './db.ts';
import { summary } from './summary.ts';
import { transactions } from './transactions.ts';
import { procedure, router } from './trpc.ts';

export interface Account {
  id: number;
  name: string;
  kind: 'checking' | 'savings' | 'card' | 'cash';
  balanceCents: number;
}

export interface Category {
  id: number;
  name: string;
  direction: 'income' | 'expense';
  colour: string;
}

export const appRouter = router({
  health: procedure.query(async () => {
    await rows('SELECT 1');
    return { ok: true as const };
  }),
  accounts: router({
    list: procedure.query(() =>
      rows<Account>(
        `SELECT a.id, a.name, a.kind, (a.opening_cents + coalesce(sum(t.amount_cents), 0))::bigint AS "balanceCents"
           FROM accounts a LEFT JOIN transactions t ON t.account_id = a.id
          GROUP BY a.id ORDER BY a.position, a.id LIMIT 100`,
      ),
    ),
  }),
  categories: router({
    list: procedure.query(() =>
      rows<Category>('SELECT id, name, direction, colour FROM categories ORDER BY position, id LIMIT 200'),
    ),
  }),
  transactions,
  summary,
});

export type AppRouter = typeof appRouter;
