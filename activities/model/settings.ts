/**
 * The model's settings, read once from the environment; none of them has a default that could reach
 * elsewhere. The key goes to the model's own address and to nothing else (I7).
 */
import { AdorableError } from '../../shared/errors.ts';

/** Per million tokens, in any currency: so many of it, or millionths of it per token. */
export interface Prices {
  /** Of what is sent. */
  readonly asked: number;
  readonly answered: number;
}

/** What one operation, or one message, may spend. */
export interface Limits {
  readonly tokens: number;
  readonly prices?: Prices | undefined;
  /** Millionths of the prices' currency; without it, tokens alone are the limit. */
  readonly micros?: number | undefined;
}

/** Without the key and the address, which nobody needs who counts. */
export const limitsOf = ({ tokens, prices, micros }: Limits): Limits => ({ tokens, prices, micros });

export interface ModelSettings extends Limits {
  /** An OpenAI-compatible base, e.g. `https://host/v1`. */
  readonly url: string;
  /** Undefined for a server that asks for none. */
  readonly key: string | undefined;
  readonly name: string;
  /** How long one answer may take. */
  readonly callMs: number;
}

const DEFAULT_TOKENS = 400_000;
const MAX_TOKENS = 1_000_000_000;
const DEFAULT_SECONDS = 180;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Undefined: no model is configured, and blueprints alone make code. */
export function readModelSettings(env: NodeJS.ProcessEnv): ModelSettings | undefined {
  const text = env['ADORABLE_MODEL_URL'] ?? '';
  const key = env['ADORABLE_MODEL_KEY'] || undefined;
  if (text === '') {
    if (key !== undefined) throw invalid('ADORABLE_MODEL_KEY is set, but not ADORABLE_MODEL_URL: set the address that the key is for.');
    return undefined;
  }
  const name = env['ADORABLE_MODEL_NAME'] ?? '';
  if (!/^[\w./:@+-]{1,200}$/.test(name)) throw invalid('ADORABLE_MODEL_NAME is not set, or is no name of a model.');
  if (key !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(key)) throw invalid('ADORABLE_MODEL_KEY has a character that no key has.');
  return {
    url: readUrl(text, key !== undefined), key, name, ...readCost(env),
    tokens: readNumber(env, 'ADORABLE_MODEL_TOKENS', { otherwise: DEFAULT_TOKENS, max: MAX_TOKENS }),
    callMs: readNumber(env, 'ADORABLE_MODEL_SECONDS', { otherwise: DEFAULT_SECONDS, max: 600 }) * 1000,
  };
}

/** A cost without prices could not be told, and would be no limit at all. */
function readCost(env: NodeJS.ProcessEnv): Pick<Limits, 'prices' | 'micros'> {
  const [priced, cost] = [env['ADORABLE_MODEL_PRICES'] || undefined, env['ADORABLE_MODEL_COST'] || undefined];
  const [asked, answered] = priced?.split('/').map(readAmount) ?? [];
  if (priced !== undefined && (asked === undefined || answered === undefined || priced.split('/').length !== 2)) throw invalid('ADORABLE_MODEL_PRICES is what a million tokens cost, asked and answered: two numbers like 3/15.');
  if (cost === undefined) return asked === undefined || answered === undefined ? {} : { prices: { asked, answered } };
  const limit = readAmount(cost);
  if (asked === 0 && answered === 0) throw invalid('ADORABLE_MODEL_PRICES says that all is free, so that ADORABLE_MODEL_COST would limit nothing: set real prices, or no cost.');
  if (limit === undefined || limit === 0) throw invalid('ADORABLE_MODEL_COST is no amount: a number like 2.50, in the currency of ADORABLE_MODEL_PRICES.');
  if (asked === undefined || answered === undefined) throw invalid('ADORABLE_MODEL_COST is set, but not ADORABLE_MODEL_PRICES: say what a million tokens cost, asked and answered, like 3/15.');
  return { prices: { asked, answered }, micros: Math.round(limit * 1e6) };
}

function readAmount(text: string): number | undefined {
  return /^\d{1,6}(?:\.\d{1,6})?$/.test(text) ? Number(text) : undefined;
}

/** The address may stand in messages: so nothing in it may be secret. */
function readUrl(text: string, hasKey: boolean): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid('ADORABLE_MODEL_URL is no address: give an OpenAI-compatible base, e.g. https://host/v1.');
  }
  if (!['http:', 'https:'].includes(url.protocol)) throw invalid('ADORABLE_MODEL_URL is neither http nor https.');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') throw invalid('ADORABLE_MODEL_URL has more than a host and a path: the key belongs in ADORABLE_MODEL_KEY.');
  if (hasKey && url.protocol === 'http:' && !LOOPBACK.has(url.hostname)) throw invalid('ADORABLE_MODEL_URL is http and not on this machine: the key would be readable on its way. Use https.');
  return url.href.replace(/\/$/, '');
}

function readNumber(env: NodeJS.ProcessEnv, variable: string, { otherwise, max }: { otherwise: number; max: number }): number {
  const text = env[variable] || String(otherwise);
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw invalid(`${variable} is a whole number from 1 to ${String(max)}.`);
}

const invalid = (message: string): AdorableError => new AdorableError('InvalidInput', message);
