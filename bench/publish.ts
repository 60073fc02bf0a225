/** A benchmark's report where it was asked for: on stdout, as a table or one JSON document, and in its section of docs/benchmarks.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../local/engines/recipe.ts';
import { replaceSection } from './markdown.ts';

export interface Publication {
  readonly section: string;
  readonly report: object;
  readonly text: string;
  readonly json: boolean | undefined;
  readonly write: boolean | undefined;
}

export function publish({ section, report, text, json, write }: Publication): void {
  process.stdout.write(json === true ? `${JSON.stringify(report)}\n` : `${text}\n`);
  if (write !== true) return;
  const file = join(checkout, 'docs', 'benchmarks.md');
  writeFileSync(file, replaceSection(readFileSync(file, 'utf8'), section, text));
}
