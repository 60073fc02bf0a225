import { useRef, useState } from 'react';
import type { ArchivedCard } from '../server/archive.ts';
import { api, explain } from './api.ts';

/** What was archived, newest first, each with the way back. */
export function ArchiveDrawer({ onRestored }: { onRestored: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [cards, setCards] = useState<ArchivedCard[]>();
  const [problem, setProblem] = useState<string>();

  const load = async () => {
    try {
      setCards(await api.archive.list.query());
      setProblem(undefined);
    } catch (error) {
      setProblem(explain(error));
    }
  };
  const open = () => {
    dialog.current?.showModal();
    void load();
  };
  const restore = async (id: number) => {
    try {
      await api.archive.restore.mutate({ id });
      onRestored();
    } catch (error) {
      setProblem(explain(error));
    }
    await load();
  };

  return (
    <>
      <button type="button" className="archive-open" onClick={open}>
        Archive
      </button>
      <dialog ref={dialog} className="drawer" aria-labelledby="archive-title">
        <h2 id="archive-title">Archived cards</h2>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        {!cards && !problem && <p role="status">Loading…</p>}
        {cards?.length === 0 && <p>Nothing is archived.</p>}
        <ul>
          {cards?.map((card) => (
            <li key={card.id}>
              <span>
                <strong>{card.title}</strong>
                <small>
                  {card.columnName} · {new Date(card.archivedAt).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' })}
                </small>
              </span>
              <button type="button" aria-label={`Restore ${card.title}`} onClick={() => void restore(card.id)}>
                Restore
              </button>
            </li>
          ))}
        </ul>
        <div className="foot">
          <button type="button" className="primary" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
      </dialog>
    </>
  );
}
