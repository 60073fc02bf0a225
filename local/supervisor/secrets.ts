/** The platform's own secrets: made once, kept in files that only their owner may read (I7). */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../paths.ts';
import type { SecretName } from '../platform.ts';

const NAMES: readonly SecretName[] = [
  'admin.token', 'node.token', 'worker.token', 'gateway.token', 'kcm.token', 'scheduler.token', 'timeline.token', 'postgres.password', 'master.key',
];

export function ensureSecrets(paths: Layout): void {
  mkdirSync(paths.secrets, { recursive: true, mode: 0o700 });
  for (const name of NAMES) writeOnce(join(paths.secrets, name), () => randomBytes(32).toString('hex'));
}

/** The key pair that signs service account tokens. */
export function ensureServiceAccountKeys(dir: string): { key: string; pub: string } {
  const files = { key: join(dir, 'sa.key'), pub: join(dir, 'sa.pub') };
  if (existsSync(files.pub)) return files;
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  // The public half is written last: its presence means that both are there.
  writeAtomically(files.key, pair.privateKey);
  writeAtomically(files.pub, pair.publicKey);
  return files;
}

function writeOnce(file: string, make: () => string): void {
  if (!existsSync(file)) writeAtomically(file, make());
}

export function writeAtomically(file: string, content: string, mode = 0o600): void {
  writeFileSync(`${file}.new`, content, { mode });
  renameSync(`${file}.new`, file);
}
