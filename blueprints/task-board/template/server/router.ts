import { cards } from './cards.ts';
import { rows } from './db.ts';
import { procedure, router } from './trpc.ts';

export interface Column {
  id: number;
  name: string;
  colour: string;
  isDone: boolean;
}

export const appRouter = router({
  health: procedure.query(async () => {
    await rows('SELECT 1');
    return { ok: true as const };
  }),
  columns: router({
    list: procedure.query(() => rows<Column>('SELECT id, name, colour, is_done AS "isDone" FROM columns ORDER BY position, id LIMIT 20')),
  }),
  cards,
});

export type AppRouter = typeof appRouter;
