/** Tables, documents and the plot: what a reader of the figures is shown. */
import { describe, expect, test } from '@jest/globals';
import { generationTable } from '../../../bench/generation/report.ts';
import type { GenerationResult } from '../../../bench/generation/report.ts';
import { bytes, figure, ratio, replaceSection, seconds, table } from '../../../bench/markdown.ts';
import { plotSvg } from '../../../bench/plot.ts';
import { derive, restorePlot, restoreTables } from '../../../bench/restore/report.ts';
import type { RestoreReport } from '../../../bench/restore/report.ts';
import type { Samples, SizeResult } from '../../../bench/restore/rows.ts';
import { workflowTable } from '../../../bench/workflow/report.ts';

const machine = { cores: 2, cpu: 'A CPU', memoryBytes: 8e9, kernel: 'linux 6', node: '24.0.0', root: true };
const samples: Samples = {
  'undo wall': [1300, 1200, 1400], 'undo downtime': [900, 900, 900], fork: [400, 400, 400], 'compute stop': [100, 100, 100],
  'compute start': [200, 200, 200], git: [50, 50, 50], apply: [50, 50, 50], 'app start': [200, 200, 200], pg_dump: [3000, 3000, 3000], pg_restore: [1000, 1000, 1000],
};
const size = (more: Partial<SizeResult> = {}): SizeResult => ({ label: '10 MB', databaseBytes: 2e7, replayedBytes: 1e6, samples, steps: [{ name: 'fork', ms: [1, 2, 3] }], ...more });
const report = (sizes: readonly SizeResult[]): RestoreReport => ({
  date: '2026-01-02', machine, repeat: 3, pgClient: 'pg_dump 17.10', filesystems: [{ kind: 'plain', description: 'ext4', sizes }], absent: [{ what: 'a reflink filesystem', why: 'not root' }],
});

describe('figures', () => {
  test('a ratio is of medians, and of complete sums only', () => {
    expect(derive(size())).toEqual({ bareParts: 1000, bareDowntime: 500, dumpAndRestore: 4000, wallRatio: 1.3, downtimeRatio: 1.8 });
    const { git: _git, ...withoutGit } = samples;
    expect(derive(size({ samples: withoutGit }))).toMatchObject({ bareParts: undefined, wallRatio: undefined, downtimeRatio: 1.8 });
  });

  test('are written with their range, their unit and their verdict', () => {
    expect(figure({ median: 1234, min: 50, max: 2000, count: 3 })).toBe('1.23 s (50 ms to 2.00 s)');
    expect(figure({ median: 12, min: 12, max: 12, count: 1 })).toBe('12 ms');
    expect(figure(undefined)).toBe('–');
    expect(seconds(undefined)).toBe('–');
    expect(ratio(1.3, 1.3)).toBe('1.30 (wanted ≤ 1.3: held)');
    expect(ratio(1.31, 1.3)).toBe('1.31 (wanted ≤ 1.3: missed)');
    expect([0, 999, 19_600_000, 1_070_000_000].map(bytes)).toEqual(['0 B', '999 B', '19.6 MB', '1.07 GB']);
  });

  test('the tables name every measured row, what was not measured, and why', () => {
    const text = restoreTables(report([size(), size({ label: '1 GB', samples: { 'undo wall': [1] } })]));
    expect(text).toContain('| undo wall | 1.30 s (1.20 s to 1.40 s) | 1 ms |');
    expect(text).toContain('| **undo wall ÷ bare parts** | **1.30 (wanted ≤ 1.3: held)** | **–** |');
    expect(text).toContain('**1.80 (wanted ≤ 1.5: missed)**');
    expect(text).not.toContain('redo wall');
    expect(text).toContain('- Not measured: a reflink filesystem: not root.');
  });

  test('the workflow budgets say which are held', () => {
    const text = workflowTable({
      date: '2026-01-02', machine, undo: { events: 120, activities: 21, bytes: 70_000 }, redo: { events: 1, activities: 1, bytes: 1 },
      paced: { own: [108, 110], bare: [100, 100] }, instant: { own: [200], bare: [100] },
      converge: { lists: { pods: 1, services: 2 }, otherReads: 0, writes: 0, moved: 0, objects: 9 }, render: { apps: 1000, objects: 3000, cpuMs: [90] },
    });
    expect(text.split('\n').filter((line) => line.endsWith('| missed |')).map((line) => line.split(' | ')[0])).toEqual([
      '| the same, activities that answer at once', '| undo: activities', '| undo: history', '| no-op converge: reads',
    ]);
  });
});

describe('growth', () => {
  const result = (apps: number, events: number): GenerationResult => ({
    apps, instant: { own: [20], bare: [10] }, run: { ms: 1000, size: { events: 100, activities: 20, bytes: 5000 }, children: { runs: 2 * apps, events, activities: 5 * apps, bytes: 900 * apps } },
  });
  const written = (results: readonly GenerationResult[]) => generationTable({ date: '2026-01-02', machine, results });

  test('one more app adds as much among many as among few, or it is said that it does not', () => {
    const text = written([result(1, 50), result(10, 500), result(100, 6000)]);
    expect(text).toContain('| with its children: events | 150 | 600 | 6100 |');
    expect(text).toContain('| ÷ bare workflow, activities that answer at once | 2.00: 20 ms against 10 ms |');
    expect(text).toContain('| one more app: events | 50.0 | 61.1 | 1.22 (wanted ≤ 1.1: missed) |');
    expect(text).toContain('| one more app: activities | 5.0 | 5.0 | 1.00 (wanted ≤ 1.1: held) |');
  });

  test('two counts tell of no growth', () => {
    expect(written([result(1, 50), result(10, 500)])).not.toContain('one more app');
  });
});

describe('documents', () => {
  test('a section is replaced and the rest stays; one that is not there is refused', () => {
    const text = 'before\n<!-- a: begin -->\nold\n<!-- a: end -->\nafter\n';
    expect(replaceSection(text, 'a', ' new \n')).toBe('before\n<!-- a: begin -->\nnew\n<!-- a: end -->\nafter\n');
    expect(() => replaceSection(text, 'b', 'new')).toThrow(/no section b/);
  });

  test('a cell cannot end its column', () => {
    expect(table(['a'], [['x | y']])).toBe('| a |\n|---|\n| x \\| y |');
  });
});

describe('the plot', () => {
  const plot = (points: readonly { x: number; y: number }[]) => plotSvg({
    title: 'a < b', yLabel: 'seconds', ticks: [{ x: 1e7, label: '10 MB' }, { x: 1e9, label: '1 GB' }],
    series: [{ name: 'undo', colour: '#123456', dashed: true, points: points.map(({ x, y }) => ({ x, y, low: y, high: y })) }],
  });
  const circles = (svg: string) => [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));

  test('sizes ten times as large lie equally far apart, values are to scale, and text is escaped', () => {
    const svg = plot([{ x: 1e9, y: 6 }, { x: 1e7, y: 0 }, { x: 1e8, y: 3 }]);
    const [a, b, c] = circles(svg);
    expect((c?.x ?? 0) - (b?.x ?? 0)).toBeCloseTo((b?.x ?? 0) - (a?.x ?? 0), 1);
    expect((a?.y ?? 0) - (b?.y ?? 0)).toBeCloseTo((b?.y ?? 0) - (c?.y ?? 0), 1);
    expect(svg).toContain('a &#60; b');
    expect(svg).toContain('stroke-dasharray');
  });

  test('one size, or none at all, is drawn without a division by nothing', () => {
    expect(plotSvg({ title: 't', yLabel: 'y', ticks: [{ x: 1e7, label: '10 MB' }], series: [] })).not.toMatch(/NaN|Infinity/);
    expect(restorePlot(report([]))).not.toContain('NaN');
    expect(restorePlot(report([size()]))).toContain('pg_dump + pg_restore, plain');
  });

  test('a series is drawn where all of its parts were measured', () => {
    const svg = restorePlot(report([size(), size({ label: '1 GB', databaseBytes: 1e9, samples: { 'undo wall': [1] } })]));
    expect(circles(svg)).toHaveLength(4);
  });
});
