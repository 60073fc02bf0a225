import { createTRPCClient, httpBatchLink, TRPCClientError } from '@trpc/client';
import type { AppRouter } from '../server/router.ts';

export type { Card } from '../server/cards.ts';
export type { Column } from '../server/router.ts';

export const api = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: '/trpc' })] });

/** What to tell a person; the server's own words only when it chose them for people. */
export function explain(error: unknown): string {
  if (error instanceof TRPCClientError && error.data) return error.message;
  return 'The server cannot be reached right now.';
}
