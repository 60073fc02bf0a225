/** What differs between two readings, a line each: the path, and what is missing or too much there. */
export function differences(wanted: unknown, found: unknown, path = ''): string[] {
  if (Object.is(wanted, found)) return [];
  if (Array.isArray(wanted) && Array.isArray(found) && [...wanted, ...found].every((item) => typeof item === 'string')) {
    const missing = (wanted as string[]).filter((item) => !(found as string[]).includes(item));
    const extra = (found as string[]).filter((item) => !(wanted as string[]).includes(item));
    // A changed object differs in one place of a long line: enough around it is shown to tell which.
    return [...missing.map((item) => `${path} lacks ${shorten(item, extra)}`), ...extra.map((item) => `${path} has ${shorten(item, missing)}`)];
  }
  if (isRecord(wanted) && isRecord(found)) {
    return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].flatMap((key) => differences(wanted[key], found[key], path === '' ? key : `${path}.${key}`));
  }
  return [`${path} is ${JSON.stringify(found) ?? 'absent'}, not ${JSON.stringify(wanted) ?? 'absent'}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object';
}

function shorten(text: string, others: readonly string[]): string {
  const name = text.split(' ')[0] ?? '';
  const other = others.find((candidate) => candidate.startsWith(`${name} `));
  if (text.length < 160 || other === undefined) return text.slice(0, 160);
  let at = 0;
  while (at < text.length && text[at] === other[at]) at += 1;
  return `${name} …${text.slice(Math.max(0, at - 60), at + 60)}…`;
}
