import { useEffect, useState } from 'react';
import { api, explain, type Card, type Column } from './api.ts';
import { APP_NAME } from './app-name.ts';
import { applyMove, inColumn, moveBy, type Direction, type Move } from './arrange.ts';
import { BoardColumn } from './board-column.tsx';
import { Editor, type Draft } from './editor.tsx';
import { useLoad } from './use-load.ts';

export function App() {
  const board = useLoad('board', async () => {
    const [columns, cards] = await Promise.all([api.columns.list.query(), api.cards.list.query()]);
    return { columns, cards };
  });
  const [cards, setCards] = useState<Card[]>();
  const [dragged, setDragged] = useState<number>();
  const [editing, setEditing] = useState<Card>();
  const [search, setSearch] = useState('');
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<string>();
  useEffect(() => setCards(board.value?.cards), [board.value]);

  const columns = board.value?.columns;
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work();
      setProblem(undefined);
    } catch (error) {
      setProblem(explain(error));
    }
    board.reload();
  };

  const move = (wish: Move) => {
    if (!cards) return;
    setCards(applyMove(cards, wish));
    setSaid(`Moved to ${columns?.find(({ id }) => id === wish.columnId)?.name ?? 'the column'}.`);
    void attempt(() => api.cards.move.mutate(wish));
  };
  const nudge = (card: Card, direction: Direction) => {
    const wish = cards && columns && moveBy(cards, columns.map(({ id }) => id), card, direction);
    if (wish) move(wish);
  };
  const save = async (card: Card, draft: Draft) => {
    const { columnId, ...fields } = draft;
    await api.cards.update.mutate({ ...fields, id: card.id });
    if (columnId !== card.columnId) await api.cards.move.mutate({ id: card.id, columnId, beforeId: null });
    setEditing(undefined);
    board.reload();
  };

  const wanted = search.trim().toLowerCase();
  const shown = cards?.filter((card) => `${card.title} ${card.notes}`.toLowerCase().includes(wanted));
  const trouble = problem ?? (board.error && `${board.error} Trying again…`);
  return (
    <>
      <header>
        <h1>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M6 5v14M12 5v8M18 5v11" />
          </svg>
          {APP_NAME}
        </h1>
        {cards && columns && <Progress cards={cards} columns={columns} />}
        <label>
          <span className="hidden">Search cards</span>
          <input type="search" name="search" placeholder="Search cards" value={search} maxLength={100} onChange={(event) => setSearch(event.target.value)} />
        </label>
      </header>
      {trouble && (
        <p className="problem" role="alert">
          {trouble}
        </p>
      )}
      <main>
        {!columns || !shown
          ? [1, 2, 3, 4].map((n) => <section key={n} className="column loading" aria-hidden="true" />)
          : columns.map((column) => (
              <BoardColumn
                key={column.id}
                column={column}
                cards={inColumn(shown, column.id)}
                dragged={dragged}
                onDrag={setDragged}
                onDrop={(beforeId) => {
                  if (dragged !== undefined) move({ id: dragged, columnId: column.id, beforeId });
                  setDragged(undefined);
                }}
                onNudge={nudge}
                onOpen={setEditing}
                onAdd={(title) => attempt(() => api.cards.create.mutate({ title, columnId: column.id }))}
              />
            ))}
      </main>
      <p className="hint">Drag a card, or focus it and press Alt with an arrow key.</p>
      <p className="hidden" role="status">
        {said}
      </p>
      {editing && columns && (
        <Editor
          card={editing}
          columns={columns}
          onSave={(draft) => save(editing, draft)}
          onDelete={async () => {
            await attempt(() => api.cards.delete.mutate({ id: editing.id }));
            setEditing(undefined);
          }}
          onClose={() => setEditing(undefined)}
        />
      )}
    </>
  );
}

function Progress({ cards, columns }: { cards: Card[]; columns: Column[] }) {
  const done = cards.filter((card) => columns.some(({ id, isDone }) => isDone && id === card.columnId)).length;
  return (
    <div className="progress">
      <span>
        {done} of {cards.length} done
      </span>
      <progress max={Math.max(1, cards.length)} value={done} aria-label="Cards done" />
    </div>
  );
}
