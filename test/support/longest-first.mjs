/**
 * The order of the suites: the longest first, so that two workers end together on any machine. jest
 * would go by a file's size where it has not measured yet. An end-to-end suite that is not named
 * here starts before those that are; of the others, one that is named.
 */
const SHORTEST_FIRST = ['timeline', 'node', 'infra', 'containment', 'doors', 'sweep', 'platform', 'command'];
const LONGEST_FIRST = ['faults/sagas', 'unit/timeline/timeline-server', 'faults/same-as-server', 'workflow/doors', 'workflow/stuck', 'faults/model', 'unit/code/generation', 'workflow/cancel'];

const indexIn = (names, path, folder) => names.findIndex((name) => path.endsWith(`/test/${folder}${name}.test.ts`));

const rankOf = ({ path }) => {
  if (!path.includes('/test/e2e/')) return indexIn([...LONGEST_FIRST].reverse(), path, '');
  const rank = indexIn(SHORTEST_FIRST, path, 'e2e/');
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
