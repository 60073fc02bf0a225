/** AES-256-GCM with the place of a value as associated data, so that no row can be put in another's place (I7, I8). */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { AdorableError } from '../../shared/errors.ts';

const NONCE = 12;
const TAG = 16;

export interface Seal {
  seal(value: string, place: string): Buffer;
  open(sealed: Buffer, place: string): string;
  /** Tells two values apart without telling anything of them to who lacks the key. */
  checksum(text: string): string;
}

export function createSeal(masterKeyHex: string): Seal {
  if (!/^[0-9a-f]{64}$/i.test(masterKeyHex)) throw new AdorableError('InvalidInput', 'The master key is not 32 bytes in hex: restore secrets/master.key from a backup.');
  const master = Buffer.from(masterKeyHex, 'hex');
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', master, '', `adorable ${purpose}`, 32));
  const sealing = derive('secret sealing');
  const checking = derive('checksums');
  return {
    seal(value, place) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(Buffer.from(place));
      const ciphertext = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
    },
    open(sealed, place) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', sealing, sealed.subarray(0, NONCE)).setAAD(Buffer.from(place));
        decipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG));
        return Buffer.concat([decipher.update(sealed.subarray(NONCE + TAG)), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new AdorableError('InvariantViolated', `The secret ${place} does not open with this master key: restore the master.key that belongs to this database.`, { cause });
      }
    },
    checksum: (text) => createHmac('sha256', checking).update(text).digest('hex').slice(0, 32),
  };
}
