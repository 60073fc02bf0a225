/**
 * Copies the runners where pod uids can read them: the checkout may lie below a home directory
 * that they cannot enter.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function installRunners(target: string): void {
  mkdirSync(target, { recursive: true, mode: 0o755 });
  cpSync(fileURLToPath(new URL('./runners', import.meta.url)), target, { recursive: true, force: true });
  writeFileSync(join(target, 'package.json'), '{"type":"module","private":true}\n');
  makeReadable(target);
}

function makeReadable(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) makeReadable(path);
    else chmodSync(path, 0o644);
  }
}
