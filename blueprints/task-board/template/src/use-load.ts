import { useCallback, useEffect, useState } from 'react';
import { explain } from './api.ts';

export interface Loaded<T> {
  value: T | undefined;
  error: string | undefined;
  reload: () => void;
}

const RETRY_MS = 3_000;

/** Loads on every change of `key`, keeps the old value meanwhile, and retries while it fails. */
export function useLoad<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [value, setValue] = useState<T>();
  const [error, setError] = useState<string>();
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);

  useEffect(() => {
    let isCurrent = true;
    let retry: ReturnType<typeof setTimeout> | undefined;
    load().then(
      (loaded) => {
        if (!isCurrent) return;
        setValue(loaded);
        setError(undefined);
      },
      (failure: unknown) => {
        if (!isCurrent) return;
        setError(explain(failure));
        retry = setTimeout(reload, RETRY_MS);
      },
    );
    return () => {
      isCurrent = false;
      clearTimeout(retry);
    };
    // `load` is a new closure on every render; `key` says when its inputs changed.
  }, [key, turn, reload]);

  return { value, error, reload };
}
