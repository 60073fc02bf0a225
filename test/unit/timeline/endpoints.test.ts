/** A compute that asks what comes next is answered when it changes, not a poll later. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEndpoints, type Endpoints } from '../../../local/timeline/endpoints.ts';
import { createStateStore } from '../../../local/timeline/state.ts';
import type { ProjectId, TenantId, TimelineId } from '../../../shared/ids.ts';

const projectId = 'qiwykfu39n' as ProjectId;
const tenantId = '2'.repeat(32) as TenantId;
const timelineId = 'a'.repeat(32) as TimelineId;
const config = { tenant_id: tenantId, timeline_id: timelineId, fence: 1, logins: 'all' };
let root: string;

beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'ade-')); });
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

function endpoints(heldMs?: number): Endpoints {
  const store = createStateStore(root);
  store.writeTenant({ tenantId, projectId, nextPgTimelineId: 2 });
  mkdirSync(store.folder(tenantId, timelineId));
  store.writeTimeline({ tenantId, timelineId, pgTimelineId: 1, createdAt: '', bases: [], pins: {} });
  return createEndpoints(store, heldMs);
}

describe('the next configuration of an endpoint', () => {
  test('is answered as soon as it is configured, to everybody who waits', async () => {
    const all = endpoints();
    all.configure(projectId, config);
    const waiting = Promise.all([all.next(projectId, config), all.next(projectId, config)]);
    all.configure(projectId, { ...config, logins: 'admin' });
    expect((await waiting).map(({ logins }) => logins)).toEqual(['admin', 'admin']);
  });

  test('is answered at once when it is not what was seen', async () => {
    const all = endpoints();
    all.configure(projectId, { ...config, logins: 'admin' });
    expect(await all.next(projectId, config)).toMatchObject({ logins: 'admin', timeline_id: timelineId });
  });

  test('is answered as it is when nothing changes for a while, and refused where there is none', async () => {
    const all = endpoints(30);
    await expect(all.next(projectId, {})).rejects.toMatchObject({ type: 'NotFound' });
    all.configure(projectId, config);
    expect(await all.next(projectId, config)).toMatchObject({ logins: 'all', fence: 1 });
  });
});
