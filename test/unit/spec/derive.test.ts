/** Derived ids: stable across attempts (I9), valid for their parsers, distinct for distinct inputs (I8). */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as derive from '../../../shared/derive.ts';
import { parseAppId, parseCheckpointId, parseTenantId, parseTimelineId } from '../../../shared/ids.ts';
import type { OperationId, ProjectId, RevisionId } from '../../../shared/ids.ts';

const operation = (text: string) => text as OperationId;
const project = (text: string) => text as ProjectId;
const revision = (text: string) => text as RevisionId;

test('the ids are what they were: rows and timelines of running projects are named by them', () => {
  expect(derive.forkTimelineId(operation('op_000000000001'))).toBe('4999c0fb38a7f725ab51c37c460bfe1f');
  expect(derive.tenantIdOf(project('qiwykfu39n'))).toBe('aacc5127df2a30c59fee086090f82eb6');
  expect(derive.firstTimelineId(project('qiwykfu39n'))).toBe('2643ad5dcc5f834deec3f4641f477e44');
  expect(derive.operationCheckpointId(operation('op_000000000001'), 'pre-restore')).toBe('cp_hxh6pw0o0ojk');
  expect(derive.materializedAppId(project('qiwykfu39n'), revision('rev_000000000001'), 'blog')).toBe('a_w4ftq1qfb9a4');
  expect(derive.shortDigest('plan')).toBe('a74f39aa10904fa6');
});

test('any input gives an id that its parser takes, the same every time', () => {
  fc.assert(fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
    const ids = () => [
      parseTimelineId(derive.forkTimelineId(operation(a))), parseTenantId(derive.tenantIdOf(project(a))), parseTimelineId(derive.firstTimelineId(project(a))),
      parseCheckpointId(derive.operationCheckpointId(operation(a), b)), parseAppId(derive.materializedAppId(project(a), revision(b), c)),
    ];
    expect(ids()).toEqual(ids());
    expect(new Set(ids()).size).toBe(5);
    expect(derive.shortDigest(a)).toMatch(/^[0-9a-f]{16}$/);
  }));
});

test('parts do not run into each other: where one ends and the next begins is part of the id', () => {
  fc.assert(fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), (a, b, c) => {
    expect(derive.operationCheckpointId(operation(a + b), c)).not.toBe(derive.operationCheckpointId(operation(a), b + c));
    expect(derive.materializedAppId(project(a + b), revision(c), '')).not.toBe(derive.materializedAppId(project(a), revision(b + c), ''));
  }));
});

test('100 000 neighbours are distinct', () => {
  const ids = new Set<string>();
  for (let n = 0; n < 100_000; n++) ids.add(derive.operationCheckpointId(operation(`op_${n.toString(36).padStart(12, '0')}`), 'target'));
  expect(ids.size).toBe(100_000);
});
