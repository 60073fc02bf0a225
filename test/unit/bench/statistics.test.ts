/** What the benchmarks compute from what they measured. */
import { describe, expect, test } from '@jest/globals';
import { longestGap, ratioOf, summarize, sumOf } from '../../../bench/statistics.ts';
import { parseApps, parseFilesystems, parseRepeat, parseSizes } from '../../../bench/options.ts';
import { callsOf, childOf, groupsOf } from '../../../bench/workflow/history.ts';

describe('summaries', () => {
  test.each([
    ['an odd number of values has its middle one', [30, 10, 20], { median: 20, min: 10, max: 30, count: 3 }],
    ['an even number has the mean of the two in the middle', [4, 1, 2, 3], { median: 2.5, min: 1, max: 4, count: 4 }],
    ['values are ordered as numbers', [100, 9, 80], { median: 80, min: 9, max: 100, count: 3 }],
  ])('%s', (_name, values, expected) => { expect(summarize(values)).toEqual(expected); });

  test('nothing measured is nothing, in a sum and in a ratio as well', () => {
    expect(summarize([])).toBeUndefined();
    expect(summarize(undefined)).toBeUndefined();
    expect(sumOf([summarize([1]), undefined])).toBeUndefined();
    expect(sumOf([summarize([1]), summarize([5, 7])])).toBe(7);
    expect(ratioOf(3, undefined)).toBeUndefined();
    expect(ratioOf(3, 2)).toBe(1.5);
  });
});

describe('downtime', () => {
  const seen = (text: string): number => longestGap([...text].map((letter, index) => ({ at: index * 10, good: letter === '+' })));
  test.each([
    ['no failure is no downtime, however slow the answers', '+++++', 0],
    ['from the last good answer to the first good one', '++---++', 40],
    ['the longest of several', '+-+--+-+', 30],
    ['what was never good before is no outage of ours', '---++', 0],
    ['what is not good again has not ended', '++--', 0],
  ])('%s', (_name, text, expected) => { expect(seen(text)).toBe(expected); });
});

describe('options', () => {
  test('sizes as people write them', () => {
    expect(parseSizes('10MB, 1.5gb')).toEqual([{ label: '10 MB', bytes: 10e6 }, { label: '1.5 GB', bytes: 1.5e9 }]);
    for (const wrong of ['', '10', '0MB', '-1GB', '21GB', '10MB,', 'MB']) expect(() => parseSizes(wrong)).toThrow(/no size/);
  });

  test('filesystems once each, and no others', () => {
    expect(parseFilesystems('plain,reflink,plain')).toEqual(['plain', 'reflink']);
    expect(() => parseFilesystems('zfs')).toThrow(/plain,reflink/);
  });

  test('numbers of apps, as far as one plan goes', () => {
    expect(parseApps('1, 10,100')).toEqual([1, 10, 100]);
    for (const wrong of ['', '0', '201', '1,x']) expect(() => parseApps(wrong)).toThrow(/--apps/);
  });

  test('repeats are whole numbers', () => {
    expect(parseRepeat('5')).toBe(5);
    for (const wrong of ['0', '2.5', 'x', '51', '']) expect(() => parseRepeat(wrong)).toThrow(/whole number/);
  });
});

describe('histories', () => {
  const at = (seconds: number) => ({ eventTime: { seconds, nanos: 500_000_000 } });
  const scheduled = (id: number, name: string, task: number) => ({ eventId: id, ...at(id), activityTaskScheduledEventAttributes: { activityType: { name }, input: { payloads: [`in ${name}`] }, workflowTaskCompletedEventId: task } });
  const events = [
    scheduled(5, 'a', 4), scheduled(6, 'b', 4), scheduled(20, 'c', 19), scheduled(30, 'never', 29),
    { eventId: 7, ...at(7), activityTaskStartedEventAttributes: { scheduledEventId: 5 } },
    { eventId: 8, ...at(9), activityTaskCompletedEventAttributes: { scheduledEventId: 5, result: { payloads: ['out a'] } } },
    { eventId: 9, ...at(9), activityTaskCompletedEventAttributes: { scheduledEventId: 6, result: null } },
    { eventId: 21, ...at(21), activityTaskCompletedEventAttributes: { scheduledEventId: 20 } },
  ];
  const calls = callsOf(events, (payload) => `decoded ${String(payload)}`);

  test('each completed activity with its arguments, its result and the time it ran', () => {
    expect(calls).toEqual([
      { type: 'a', args: ['decoded in a'], result: 'decoded out a', ms: 2000, at: 5500, task: '4', child: '' },
      { type: 'b', args: ['decoded in b'], result: undefined, ms: 0, at: 6500, task: '4', child: '' },
      { type: 'c', args: ['decoded in c'], result: undefined, ms: 0, at: 20500, task: '19', child: '' },
    ]);
  });

  test('the nth calls of children that ran side by side are together, those of others follow each other', () => {
    const both = [...callsOf(events, String, 'generate/a'), ...callsOf(events, String, 'generate/b')];
    expect(groupsOf(both, (child) => child.startsWith('generate/')).map((group) => group.map(({ type, child }) => `${child} ${type}`))).toEqual([
      ['generate/a a', 'generate/b a', 'generate/a b', 'generate/b b'], ['generate/a c', 'generate/b c'],
    ]);
    expect(groupsOf(both)).toHaveLength(4);
    expect(['project/p/op_0123456789ab/generate/blog', 'project/p'].map(childOf)).toEqual(['generate/blog', '']);
  });

  test('what one workflow task scheduled is scheduled together again', () => {
    expect(groupsOf(calls).map((group) => group.map((call) => call.type))).toEqual([['a', 'b'], ['c']]);
  });
});
