import { useState } from 'react';
import { api, explain } from './api.ts';
import { today } from './format.ts';
import type { Filter } from './ledger.tsx';

/** Saves what the filters show, of all months, as a file. */
export function ExportButton({ filter }: { filter: Filter }) {
  const [state, setState] = useState<'idle' | 'busy' | 'empty' | { problem: string }>('idle');

  const save = async () => {
    setState('busy');
    try {
      const { csv, rows } = await api.downloads.transactions.query(filter);
      if (rows === 0) return setState('empty');
      const address = URL.createObjectURL(new Blob([csv], { type: 'text/csv;charset=utf-8' }));
      const link = document.createElement('a');
      link.href = address;
      link.download = `transactions-${today()}.csv`;
      link.click();
      URL.revokeObjectURL(address);
      setState('idle');
    } catch (error) {
      setState({ problem: explain(error) });
    }
  };

  return (
    <span className="export">
      {typeof state === 'object' && <small role="alert">{state.problem}</small>}
      {state === 'empty' && <small role="status">Nothing to export.</small>}
      <button type="button" disabled={state === 'busy'} onClick={() => void save()}>
        <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 4v11M7 11l5 5 5-5M5 20h14" />
        </svg>
        {state === 'busy' ? 'Preparing…' : 'Export CSV'}
      </button>
    </span>
  );
}
