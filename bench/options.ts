/** Sizes and lists as people write them on a command line: pure. */
import type { FilesystemKind } from './filesystem.ts';

export interface Size {
  readonly label: string;
  readonly bytes: number;
}

const UNITS: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9 };
const LARGEST = 20e9;
/** What one plan may create. */
const MOST_APPS = 200;

export function parseSizes(text: string): readonly Size[] {
  return text.split(',').map((part) => {
    const found = /^\s*(\d+(?:\.\d+)?)\s*([KMG]B)\s*$/i.exec(part);
    const unit = UNITS[found?.[2]?.toUpperCase() ?? ''];
    const bytes = Number(found?.[1]) * (unit ?? NaN);
    if (!(bytes > 0 && bytes <= LARGEST)) throw new Error(`${JSON.stringify(part)} is no size: sizes look like 10MB,1GB, up to 20GB.`);
    return { label: `${found?.[1] ?? ''} ${found?.[2]?.toUpperCase() ?? ''}`, bytes };
  });
}

export function parseFilesystems(text: string): readonly FilesystemKind[] {
  return [...new Set(text.split(',').map((part) => part.trim()))].map((part) => {
    if (part !== 'plain' && part !== 'reflink') throw new Error(`${JSON.stringify(part)} is no filesystem here: choose from plain,reflink.`);
    return part;
  });
}

/** How many apps one generation makes. */
export function parseApps(text: string): readonly number[] {
  return text.split(',').map((part) => {
    const count = Number(part);
    if (!/^\s*\d+\s*$/.test(part) || count < 1 || count > MOST_APPS) throw new Error(`--apps are whole numbers from 1 to ${String(MOST_APPS)}, not ${JSON.stringify(part)}.`);
    return count;
  });
}

export function parseRepeat(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 50) throw new Error(`--repeat is a whole number from 1 to 50, not ${JSON.stringify(text)}.`);
  return count;
}
