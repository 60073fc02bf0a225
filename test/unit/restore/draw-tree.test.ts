/** The drawn tree: every moment once, the way to here straight down, what was left beside it. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { drawTree } from '../../../shared/restore/draw-tree.ts';

interface Entry { id: string; parentId: string | null; aliasOf: string | null; current: boolean }
const entry = (id: string, parentId: string | null, aliasOf: string | null = null, current = false): Entry => ({ id, parentId, aliasOf, current });
const drawn = (entries: readonly Entry[]): string[] => drawTree(entries).map((line) => `${line.prefix}${line.current ? '●' : '○'} ${line.entry.id}${line.aliases.map((alias) => ` =${alias.id}`).join('')}`);

test('an undone generation stands beside the one that was made instead', () => {
  expect(drawn([
    entry('start', null), entry('pre1', 'start'), entry('gen1', 'pre1'), entry('snapshot', 'gen1'), entry('back', 'snapshot', 'pre1'), entry('pre2', 'back'), entry('gen2', 'pre2', null, true),
  ])).toEqual(['○ start', '○ pre1 =back', '├─○ gen1', '│ ○ snapshot', '○ pre2', '● gen2']);
});

test('the moment that an alias went back to is the current one', () => {
  expect(drawn([entry('start', null), entry('pre1', 'start', null, true), entry('gen1', 'pre1'), entry('snapshot', 'gen1'), entry('back', 'snapshot', 'pre1', true)]))
    .toEqual(['○ start', '● pre1 =back', '○ gen1', '○ snapshot']);
});

test('nothing recorded, nothing drawn; a parent that is not listed does not hide its children', () => {
  expect(drawn([])).toEqual([]);
  expect(drawn([entry('orphan', 'void'), entry('child', 'orphan')])).toEqual(['○ orphan', '○ child']);
});

test('any history: every entry once, as its own line or folded into one; exactly one is current; 2 000 in a row do not overflow', () => {
  const arbitrary = fc.array(fc.record({ parent: fc.nat(), alias: fc.option(fc.nat(), { freq: 3 }) }), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(arbitrary, fc.nat(), (picks, at) => {
    const entries = picks.map(({ parent, alias }, n) => entry(`e${String(n)}`, n === 0 ? null : `e${String(parent % n)}`, n === 0 || alias === null ? null : `e${String(alias % n)}`, n === at % picks.length));
    const lines = drawTree(entries);
    expect(lines.flatMap((line) => [line.entry.id, ...line.aliases.map((alias) => alias.id)]).sort()).toEqual(entries.map(({ id }) => id).sort());
    expect(lines.filter((line) => line.current)).toHaveLength(1);
  }));
  expect(drawTree(Array.from({ length: 2000 }, (_none, n) => entry(`e${String(n)}`, n === 0 ? null : `e${String(n - 1)}`)))).toHaveLength(2000);
});
