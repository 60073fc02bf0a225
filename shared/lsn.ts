/**
 * A position in a timeline's write-ahead log. Text (`16/B374D848`) wherever a person or JSON sees
 * it; compared as a bigint only, since neither strings nor numbers order correctly.
 */
import { AdorableError } from './errors.ts';

declare const brand: unique symbol;
export type Lsn = string & { readonly [brand]: 'Lsn' };

export function parseLsn(value: unknown): Lsn {
  if (typeof value === 'string' && /^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(value)) return lsnText(lsnValue(value as Lsn)); // One spelling: positions are compared as text too.
  throw new AdorableError('InvalidInput', `${JSON.stringify(value)} is not an LSN: one looks like 16/B374D848.`);
}

export function lsnValue(lsn: Lsn): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function lsnText(value: bigint): Lsn {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffffffffn).toString(16).toUpperCase()}` as Lsn;
}

export function compareLsn(a: Lsn, b: Lsn): number {
  const [x, y] = [lsnValue(a), lsnValue(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
