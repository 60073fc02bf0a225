import { TRPCError } from '@trpc/server';
import { z } from 'zod';
import { rows } from './db.ts';
import { procedure, router } from './trpc.ts';

export interface ArchivedCard {
  id: number;
  title: string;
  columnName: string;
  archivedAt: string;
}

const card = z.object({ id: z.number().int().positive() });

export const archive = router({
  list: procedure.query(() =>
    rows<ArchivedCard>(
      `SELECT c.id, c.title, columns.name AS "columnName", to_char(c.archived_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "archivedAt"
         FROM cards c JOIN columns ON columns.id = c.column_id WHERE c.archived_at IS NOT NULL ORDER BY c.archived_at DESC, c.id DESC LIMIT 500`,
    ),
  ),

  put: procedure.input(card).mutation(async ({ input }) => await one('UPDATE cards SET archived_at = coalesce(archived_at, now()), updated_at = now() WHERE id = $1 RETURNING id', input.id)),

  restore: procedure.input(card).mutation(
    async ({ input }) =>
      await one(
        `UPDATE cards c SET archived_at = NULL, updated_at = now(),
                position = coalesce((SELECT max(position) FROM cards other WHERE other.column_id = c.column_id AND other.archived_at IS NULL), 0) + 1
          WHERE c.id = $1 AND c.archived_at IS NOT NULL RETURNING id`,
        input.id,
      ),
  ),
});

async function one(text: string, id: number): Promise<{ id: number }> {
  const [found] = await rows<{ id: number }>(text, [id]);
  if (!found) throw new TRPCError({ code: 'NOT_FOUND', message: 'That card is not there any more.' });
  return found;
}
