import { initTRPC } from '@trpc/server';

// Stack traces and SQL stay on the server.
const t = initTRPC.create({
  isDev: false,
  errorFormatter: ({ shape, error }) =>
    error.code === 'INTERNAL_SERVER_ERROR' ? { ...shape, message: 'Something went wrong on the server.' } : shape,
});

export const router = t.router;
export const procedure = t.procedure;
