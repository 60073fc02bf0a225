/** Repeated measurements as a median with its range: on a shared machine a mean tells of the noise. */

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** Undefined where nothing was measured: an absent figure is never a zero. */
export function summarize(values: readonly number[] | undefined): Summary | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
  return { median, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN, count: sorted.length };
}

/** Of medians; undefined where a part is missing, since a sum without it would be too small. */
export function sumOf(summaries: readonly (Summary | undefined)[]): number | undefined {
  let sum = 0;
  for (const summary of summaries) {
    if (summary === undefined) return undefined;
    sum += summary.median;
  }
  return sum;
}

export function ratioOf(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined || base === 0 ? undefined : value / base;
}

export interface Answer {
  /** When the answer was there, in milliseconds of one clock. */
  readonly at: number;
  readonly good: boolean;
}

/** From the last good answer before a failure to the first good one after it; the longest such stretch. */
export function longestGap(answers: readonly Answer[]): number {
  let longest = 0;
  let lastGood: number | undefined;
  let hasFailed = false;
  for (const { at, good } of answers) {
    if (good && hasFailed && lastGood !== undefined) longest = Math.max(longest, at - lastGood);
    hasFailed = good ? false : true;
    if (good) lastGood = at;
  }
  return longest;
}
