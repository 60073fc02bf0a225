import { useCallback, useEffect, useState } from 'react';

export type Load<T> = { state: 'loading' } | { state: 'failed'; reason: string; retry: () => void } | { state: 'done'; value: T };

export function useLoad<T>(key: string, load: () => Promise<T>): Load<T> {
  const [turn, setTurn] = useState(0);
  const [result, setResult] = useState<{ of: string; load: Load<T> }>();
  const retry = useCallback(() => setTurn((n) => n + 1), []);
  const of = `${key} ${turn}`;

  useEffect(() => {
    let isCurrent = true;
    load().then(
      (value) => isCurrent && setResult({ of, load: { state: 'done', value } }),
      (error: unknown) => {
        const reason = error instanceof TypeError ? 'The posts cannot be reached right now.' : error instanceof Error ? error.message : String(error);
        if (isCurrent) setResult({ of, load: { state: 'failed', reason, retry } });
      },
    );
    return () => {
      isCurrent = false;
    };
    // `load` is a new closure on every render; `of` says when its inputs changed.
  }, [of, retry]);

  return result?.of === of ? result.load : { state: 'loading' };
}
