/**
 * Downloads a file and keeps it only when its bytes have the published digest. A closed network
 * must cost next to nothing, so the time to an answer is bounded, separately from the transfer.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline } from 'node:stream/promises';

const ANSWER_TIMEOUT_MS = 3_000;
const IDLE_TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 5;

export type DigestName = 'sha256' | 'sha512';

export async function downloadText(url: string): Promise<string> {
  const response = await open(url);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export async function downloadFile(url: string, file: string, progress: (bytes: number, total: number) => void): Promise<void> {
  const response = await open(url);
  const total = Number(response.headers['content-length'] ?? 0);
  let bytes = 0;
  response.on('data', (chunk: Buffer) => progress((bytes += chunk.length), total));
  await pipeline(response, createWriteStream(file));
}

/** Downloads and verifies; the file is left in place only when the digest matches. */
export async function downloadVerified(
  url: string,
  wanted: { file: string; digest: string; algorithm?: DigestName },
  progress: (bytes: number, total: number) => void,
): Promise<void> {
  const hash = createHash(wanted.algorithm ?? 'sha256');
  const response = await open(url);
  const total = Number(response.headers['content-length'] ?? 0);
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    progress((bytes += chunk.length), total);
  });
  await pipeline(response, createWriteStream(wanted.file));
  const actual = hash.digest('hex');
  if (actual !== wanted.digest) throw new Error(`checksum mismatch for ${url}: expected ${wanted.digest}, got ${actual}`);
}

async function open(url: string, redirects = 0): Promise<http.IncomingMessage> {
  const response = await request(url);
  const status = response.statusCode ?? 0;
  const location = response.headers.location;
  if (status >= 300 && status < 400 && location) {
    response.resume();
    if (redirects >= MAX_REDIRECTS) throw new Error(`${url} redirects too often`);
    return await open(new URL(location, url).href, redirects + 1);
  }
  if (status !== 200) {
    response.resume();
    throw new Error(`${url} answered ${status}`);
  }
  return response;
}

function request(url: string): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith('https:') ? https.get : http.get;
    const call = get(url, { headers: { 'user-agent': 'adorable-runtime' } });
    const timer = setTimeout(() => call.destroy(new Error(`${url} did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`)), ANSWER_TIMEOUT_MS);
    call.once('response', (response) => {
      clearTimeout(timer);
      call.setTimeout(IDLE_TIMEOUT_MS, () => call.destroy(new Error(`${url} stopped sending`)));
      resolve(response);
    });
    call.once('error', (cause: Error) => {
      clearTimeout(timer);
      reject(cause.message.includes(url) ? cause : new Error(`${url}: ${cause.message}`, { cause }));
    });
  });
}
