/**
 * Who may call: the platform with its token, and a project's compute with a token that follows
 * from it and opens nothing but that project's endpoint, attach and detach (I8).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ProjectId } from '../../shared/ids.ts';

export function computeToken(platformToken: string, project: ProjectId): string {
  return createHmac('sha256', platformToken).update(`compute:${project}`).digest('hex');
}

export function isBearer(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
