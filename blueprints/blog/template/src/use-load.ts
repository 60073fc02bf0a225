import { useCallback, useEffect, useState } from 'react';

export type Load<T> = { state: 'loading' } | { state: 'failed'; reason: string; retry: () => void } | { state: 'done'; value: T };

const RETRY_MS = 5_000;

export function useLoad<T>(key: string, load: () => Promise<T>): Load<T> {
  const [turn, setTurn] = useState(0);
  const [result, setResult] = useState<{ of: string; load: Load<T> }>();
  const retry = useCallback(() => setTurn((n) => n + 1), []);
  const of = `${key} ${turn}`;

  useEffect(() => {
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    load().then(
      (value) => isCurrent && setResult({ of, load: { state: 'done', value } }),
      (error: unknown) => {
        const reason = error instanceof TypeError ? 'The posts cannot be reached right now.' : error instanceof Error ? error.message : String(error);
        if (!isCurrent) return;
        setResult({ of, load: { state: 'failed', reason, retry } });
        timer = setTimeout(retry, RETRY_MS);
      },
    );
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
    // `load` is a new closure on every render; `of` says when its inputs changed.
  }, [of, retry]);

  // A retry keeps showing the failure until it has an answer of its own.
  const isSame = result?.of === of || (result?.load.state === 'failed' && result.of.startsWith(`${key} `));
  return isSame && result ? result.load : { state: 'loading' };
}
