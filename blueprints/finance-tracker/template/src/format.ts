const money = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR' });
const compact = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR', notation: 'compact' });

export const formatCents = (cents: number): string => money.format(cents / 100);
export const formatCompact = (cents: number): string => compact.format(cents / 100);

/** `12.5`, `12,50` and `1 200` as cents; undefined when it is not an amount. */
export function parseCents(text: string): number | undefined {
  const plain = text.trim().replace(/[\s€$£]/g, '').replace(',', '.');
  const match = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(plain);
  if (!match) return undefined;
  const cents = Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
  return cents > 0 ? cents : undefined;
}

export const toInput = (cents: number): string => (Math.abs(cents) / 100).toFixed(2);

export function today(): string {
  const now = new Date();
  return `${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())}`;
}

export const currentMonth = (): string => today().slice(0, 7);

export function shiftMonth(month: string, by: number): string {
  const moved = new Date(Number(month.slice(0, 4)), Number(month.slice(5, 7)) - 1 + by, 1);
  return `${moved.getFullYear()}-${pad(moved.getMonth() + 1)}`;
}

export function monthName(month: string, style: 'long' | 'short' = 'long'): string {
  const date = new Date(Number(month.slice(0, 4)), Number(month.slice(5, 7)) - 1, 1);
  return date.toLocaleDateString(undefined, style === 'long' ? { month: 'long', year: 'numeric' } : { month: 'short' });
}

export function dayName(day: string): string {
  const date = new Date(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, Number(day.slice(8, 10)));
  return date.toLocaleDateString(undefined, { weekday: 'short', day: 'numeric', month: 'short' });
}

const pad = (n: number): string => String(n).padStart(2, '0');
