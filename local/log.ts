/** One JSON line per event on stdout; the supervisor keeps each part's lines in `logs/<part>.log`. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export function log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
}

/** An error as log fields: type, message and code, never its stack's arguments. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) };
  const { code, type } = error as Error & { code?: unknown; type?: unknown };
  return { error: error.message, ...(code ? { code } : {}), ...(type ? { type } : {}) };
}
