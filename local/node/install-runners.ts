/**
 * Copies the runners where pod uids can read them: the checkout may lie below a home directory
 * that they cannot enter. Without their types, which a compute's start would pay for each time, while
 * clients wait: 60 of its 90 ms.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function installRunners(target: string): void {
  install(fileURLToPath(new URL('./runners', import.meta.url)), target);
  write(join(target, 'package.json'), '{"type":"module","private":true}\n');
}

function install(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    if (entry.isDirectory()) install(source, join(to, entry.name));
    else if (entry.name.endsWith('.ts')) write(join(to, entry.name.replace(/\.ts$/, '.mjs')), plain(readFileSync(source, 'utf8')));
    else write(join(to, entry.name), readFileSync(source));
  }
}

/** Types become blanks: lines and columns in a stack stay those of the source. */
function plain(source: string): string {
  return stripTypeScriptTypes(source).replaceAll(/ from '(\.\/[^']+)\.ts'/g, " from '$1.mjs'");
}

function write(path: string, content: string | Buffer): void {
  writeFileSync(path, content);
  chmodSync(path, 0o644);
}
