/** The tree of moments, by table and by random histories: undo walks back generation by generation, redo takes it back. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CheckpointId } from '../../../shared/ids.ts';
import type { CheckpointKind } from '../../../shared/moment.ts';
import { justOlder, momentBefore, previousMoment, redoMoment, resolveAlias } from '../../../shared/restore/undo.ts';
import type { MomentTree, TreeNode } from '../../../shared/restore/undo.ts';

/** A project's history as the operations record it. */
class History {
  readonly nodes = new Map<CheckpointId, TreeNode>();
  current = '' as CheckpointId;
  redoStack: CheckpointId[] = [];
  #slugs: readonly string[] = [];

  constructor() {
    this.current = this.#record('provisioned', null);
  }

  get tree(): MomentTree {
    return { nodes: this.nodes, current: this.current, redoStack: this.redoStack };
  }

  #record(kind: CheckpointKind, parentId: CheckpointId | null, aliasOf: CheckpointId | null = null): CheckpointId {
    const ordinal = this.nodes.size;
    const id = `cp_${String(ordinal).padStart(12, '0')}` as CheckpointId;
    this.nodes.set(id, { id, kind, parentId, aliasOf, slugs: this.#slugs, ordinal });
    return id;
  }

  generate(slug: string): { before: CheckpointId; made: CheckpointId } {
    const before = this.#record('pre-generation', this.current);
    this.#slugs = [...this.#slugs, slug];
    this.current = this.#record('generated', before);
    this.redoStack = [];
    return { before, made: this.current };
  }

  bookmark(): CheckpointId {
    this.current = this.#record('manual', this.current);
    return this.current;
  }

  restore(target: CheckpointId, redo = false): CheckpointId {
    const snapshot = this.#record('pre-restore', this.current);
    const node = this.nodes.get(target) as TreeNode;
    this.#slugs = node.slugs;
    this.current = this.#record(node.kind, snapshot, target);
    this.redoStack = redo ? this.redoStack.slice(0, -1) : [...this.redoStack, snapshot];
    return snapshot;
  }

  undo(): CheckpointId { return this.restore(previousMoment(this.tree)); }
  redo(): CheckpointId { return this.restore(redoMoment(this.tree), true); }
  at(): CheckpointId { return resolveAlias(this.tree, this.current).id; }
}

const refusal = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as { type?: string }).type ?? 'untyped';
  }
};

describe('a new project', () => {
  test('has nothing to undo, to redo, or older', () => {
    const { tree } = new History();
    expect(refusal(() => previousMoment(tree))).toBe('PreconditionFailed');
    expect(refusal(() => redoMoment(tree))).toBe('PreconditionFailed');
    expect(justOlder(tree)).toBeNull();
    expect(refusal(() => momentBefore(tree, 'blog'))).toBe('NotFound');
  });
});

describe('undo', () => {
  test('goes to the pre-generation checkpoint of the generation that made the current tree, past bookmarks', () => {
    const history = new History();
    const { before } = history.generate('finance');
    history.bookmark();
    history.bookmark();
    expect(previousMoment(history.tree)).toBe(before);
  });

  test('repeated, walks back generation by generation and then refuses', () => {
    const history = new History();
    const befores = ['a', 'b', 'c'].map((slug) => history.generate(slug).before);
    for (const before of befores.toReversed()) {
      history.undo();
      expect(history.at()).toBe(before);
    }
    expect(refusal(() => history.undo())).toBe('PreconditionFailed');
  });

  test('after a redo, undoes the same generation again', () => {
    const history = new History();
    history.generate('a');
    const { before } = history.generate('b');
    history.undo();
    history.redo();
    history.undo();
    expect(history.at()).toBe(before);
  });

  test('of a generation made after an undo goes to where that one began', () => {
    const history = new History();
    const first = history.generate('a').before;
    history.generate('b');
    history.undo();
    const { before } = history.generate('c');
    history.undo();
    expect(history.at()).toBe(before);
    history.undo();
    expect(history.at()).toBe(first);
  });
});

describe('redo', () => {
  test('returns to the snapshots that undos left, newest first', () => {
    const history = new History();
    history.generate('a');
    history.generate('b');
    const snapshots = [history.undo(), history.undo()];
    for (const snapshot of snapshots.toReversed()) {
      history.redo();
      expect(history.at()).toBe(snapshot);
    }
    expect(refusal(() => redoMoment(history.tree))).toBe('PreconditionFailed');
  });

  test('ends with a new generation, but every node stays in the tree', () => {
    const history = new History();
    history.generate('a');
    const snapshot = history.undo();
    history.generate('c');
    expect(refusal(() => redoMoment(history.tree))).toBe('PreconditionFailed');
    expect(history.nodes.has(snapshot)).toBe(true);
  });
});

describe('before:<app>', () => {
  test('is the newest moment on the way here that did not have the app', () => {
    const history = new History();
    const a = history.generate('a');
    const b = history.generate('b');
    history.generate('c');
    expect(momentBefore(history.tree, 'b')).toBe(b.before);
    expect(momentBefore(history.tree, 'a')).toBe(a.before);
    expect(refusal(() => momentBefore(history.tree, 'nothing'))).toBe('NotFound');
  });

  test('the moment just older is named past aliases', () => {
    const history = new History();
    const { before, made } = history.generate('a');
    expect(justOlder(history.tree)).toBe(before);
    history.generate('b');
    history.undo();
    expect(justOlder(history.tree)).toBe(made);
  });
});

test('a reference to what is not recorded is refused, never skipped', () => {
  const history = new History();
  expect(refusal(() => previousMoment({ ...history.tree, current: 'cp_999999999999' as CheckpointId }))).toBe('InvariantViolated');
});

test('any history: undo ends, each step reaches an older moment, and redo takes each back in order', () => {
  const step = fc.constantFrom('generate', 'bookmark', 'undo', 'redo', 'restore');
  fc.assert(fc.property(fc.array(fc.tuple(step, fc.nat()), { maxLength: 30 }), (steps) => {
    const history = new History();
    for (const [kind, pick] of steps) {
      const before = history.nodes.size;
      if (kind === 'generate') history.generate(`app${String(pick % 5)}-${String(before)}`);
      else if (kind === 'bookmark') history.bookmark();
      else if (kind === 'undo') refusal(() => history.undo());
      else if (kind === 'redo') refusal(() => history.redo());
      else history.restore([...history.nodes.keys()][pick % history.nodes.size] as CheckpointId);
      expect(history.nodes.size).toBeGreaterThanOrEqual(before);
    }
    const left: CheckpointId[] = [];
    let ordinal = Number.POSITIVE_INFINITY;
    while (refusal(() => previousMoment(history.tree)) === 'none') {
      left.push(history.undo());
      const here = resolveAlias(history.tree, history.current);
      expect(here.ordinal).toBeLessThan(ordinal);
      ({ ordinal } = here);
    }
    for (const snapshot of left.toReversed()) {
      history.redo();
      expect(history.at()).toBe(resolveAlias(history.tree, snapshot).id);
    }
  }), { numRuns: 300 });
});
