import { TRPCError } from '@trpc/server';
import { z } from 'zod';
import { rows } from './db.ts';
import { procedure, router } from './trpc.ts';

const id = z.number().int().positive();
const LABELS = ['none', 'idea', 'bug', 'chore', 'urgent'] as const;

const fields = {
  title: z.string().trim().min(1).max(200),
  notes: z.string().trim().max(4000),
  label: z.enum(LABELS),
  dueOn: z.iso.date().nullable(),
};

export interface Card {
  id: number;
  columnId: number;
  title: string;
  notes: string;
  label: (typeof LABELS)[number];
  dueOn: string | null;
  position: number;
}

const SELECT = `SELECT id, column_id AS "columnId", title, notes, label, due_on AS "dueOn", position FROM cards`;
const MAX_CARDS = 1_000;

export const cards = router({
  list: procedure
    .input(z.object({ columnId: id.optional(), limit: z.number().int().min(1).max(MAX_CARDS).default(MAX_CARDS) }).default({ limit: MAX_CARDS }))
    .query(({ input }) =>
      rows<Card>(`${SELECT} WHERE ($1::bigint IS NULL OR column_id = $1) ORDER BY column_id, position, id LIMIT $2`, [
        input.columnId ?? null,
        input.limit,
      ]),
    ),

  create: procedure
    .input(z.object({ ...fields, notes: fields.notes.default(''), label: fields.label.default('none'), dueOn: fields.dueOn.default(null), columnId: id.optional() }))
    .mutation(async ({ input }) => {
      const [created] = await known(
        rows<{ id: number }>(
          `INSERT INTO cards (column_id, title, notes, label, due_on, position)
           SELECT target.id, $2, $3, $4, $5::date, coalesce((SELECT max(position) FROM cards WHERE column_id = target.id), 0) + 1
             FROM (SELECT coalesce($1::bigint, (SELECT id FROM columns ORDER BY position LIMIT 1)) AS id) AS target
           RETURNING id`,
          [input.columnId ?? null, input.title, input.notes, input.label, input.dueOn],
        ),
      );
      return await byId(created?.id);
    }),

  update: procedure.input(z.object(fields).partial().extend({ id })).mutation(async ({ input }) => {
    const [updated] = await rows<{ id: number }>(
      `UPDATE cards SET title = coalesce($2, title), notes = coalesce($3, notes), label = coalesce($4, label),
              due_on = CASE WHEN $5 THEN $6::date ELSE due_on END, updated_at = now()
        WHERE id = $1 RETURNING id`,
      [input.id, input.title ?? null, input.notes ?? null, input.label ?? null, input.dueOn !== undefined, input.dueOn ?? null],
    );
    return await byId(updated?.id);
  }),

  /** Before the card `beforeId` of that column, or at its end. One statement: concurrent moves queue on the column's row. */
  move: procedure.input(z.object({ id, columnId: id, beforeId: id.nullable().default(null) })).mutation(async ({ input }) => {
    await known(
      rows(
        `WITH queue AS MATERIALIZED (SELECT id FROM columns WHERE id = $2 FOR UPDATE),
              others AS (SELECT c.id, 2 * row_number() OVER (ORDER BY c.position, c.id) AS place
                           FROM cards c, queue WHERE c.column_id = queue.id AND c.id <> $1),
              mine AS (SELECT $1::bigint AS id,
                              coalesce((SELECT place - 1 FROM others WHERE id = $3), (SELECT max(place) + 1 FROM others), 1) AS place
                         FROM queue),
              ordered AS (SELECT id, row_number() OVER (ORDER BY place) AS position
                            FROM (SELECT id, place FROM others UNION ALL SELECT id, place FROM mine) AS all_cards)
         UPDATE cards c SET column_id = $2, position = ordered.position,
                updated_at = CASE WHEN c.id = $1 THEN now() ELSE c.updated_at END
           FROM ordered
          WHERE c.id = ordered.id AND (c.column_id, c.position) IS DISTINCT FROM ($2, ordered.position)`,
        [input.id, input.columnId, input.beforeId],
      ),
    );
    const moved = await byId(input.id);
    if (moved.columnId !== input.columnId) throw new TRPCError({ code: 'BAD_REQUEST', message: 'That column does not exist.' });
    return moved;
  }),

  delete: procedure.input(z.object({ id })).mutation(async ({ input }) => {
    const [deleted] = await rows<{ id: number }>('DELETE FROM cards WHERE id = $1 RETURNING id', [input.id]);
    if (!deleted) throw new TRPCError({ code: 'NOT_FOUND', message: 'That card no longer exists.' });
    return deleted;
  }),
});

async function byId(wanted: number | undefined): Promise<Card> {
  const [found] = wanted === undefined ? [] : await rows<Card>(`${SELECT} WHERE id = $1`, [wanted]);
  if (!found) throw new TRPCError({ code: 'NOT_FOUND', message: 'That card no longer exists.' });
  return found;
}

/** A column that does not exist is the caller's mistake, not the server's. */
async function known<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if ((cause as { code?: string }).code !== '23503') throw cause;
    throw new TRPCError({ code: 'BAD_REQUEST', message: 'That column does not exist.', cause });
  }
}
