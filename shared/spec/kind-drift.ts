/**
 * Where the stored kind of an app is not the one that its services make it (`effectiveKind`). Everything
 * derives the kind anew, so drift harms nothing; it is reported, since somebody may read the column.
 */
import type { Difference } from '../restore/plan.ts';
import type { Declared } from './declared.ts';
import { effectiveKind } from './project-spec.ts';

export function kindDrift(declared: Pick<Declared, 'apps' | 'services'>): readonly Difference[] {
  return declared.apps.flatMap((app): Difference[] => {
    const kind = effectiveKind(app, declared.services);
    return kind === app.kind ? [] : [{ store: 'rows', what: `the stored kind of ${app.slug}`, expected: kind, found: app.kind }];
  });
}
