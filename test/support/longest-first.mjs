/**
 * The order of the end-to-end suites: the longest first, so that two workers end together on any
 * machine. jest would go by a file's size where it has not measured yet. A suite that is not named
 * here starts before those that are.
 */
const SHORTEST_FIRST = ['timeline', 'node', 'infra', 'containment', 'doors', 'sweep', 'platform', 'command'];

const rankOf = ({ path }) => {
  const rank = SHORTEST_FIRST.findIndex((name) => path.endsWith(`/e2e/${name}.test.ts`));
  return rank === -1 ? SHORTEST_FIRST.length : rank;
};

export default class LongestFirst {
  sort(tests) {
    return [...tests].sort((a, b) => rankOf(b) - rankOf(a));
  }

  allFailedTests() {
    return [];
  }

  cacheResults() {
    // The order is fixed: nothing is learnt from a run.
  }
}
