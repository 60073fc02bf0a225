import { useState, type CSSProperties, type DragEvent, type SubmitEvent } from 'react';
import type { Card, Column } from './api.ts';
import type { Direction } from './arrange.ts';
import { CardTile } from './card-tile.tsx';

interface Props {
  column: Column;
  cards: Card[];
  dragged: number | undefined;
  onDrag: (id: number | undefined) => void;
  onDrop: (beforeId: number | null) => void;
  onNudge: (card: Card, direction: Direction) => void;
  onOpen: (card: Card) => void;
  onAdd: (title: string) => Promise<void>;
}

export function BoardColumn({ column, cards, dragged, onDrag, onDrop, onNudge, onOpen, onAdd }: Props) {
  /** Where a dragged card would land: in front of this card, or null for the end. */
  const [landing, setLanding] = useState<number | null>();

  const over = (event: DragEvent<HTMLElement>) => {
    if (dragged === undefined) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'move';
    const tiles = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-card]')].filter((tile) => tile.dataset['card'] !== String(dragged));
    const below = tiles.find((tile) => {
      const box = tile.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    setLanding(below ? Number(below.dataset['card']) : null);
  };
  const leave = (event: DragEvent<HTMLElement>) => {
    if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) setLanding(undefined);
  };
  const drop = (event: DragEvent<HTMLElement>) => {
    event.preventDefault();
    onDrop(landing ?? null);
    setLanding(undefined);
  };

  const line = <li className="landing" aria-hidden="true" />;
  const isTarget = dragged !== undefined && landing !== undefined;
  return (
    <section
      className={isTarget ? 'column target' : 'column'}
      style={{ '--tone': column.colour } as CSSProperties}
      aria-label={column.name}
      onDragOver={over}
      onDragLeave={leave}
      onDrop={drop}
    >
      <h2>
        <i /> {column.name} <span>{cards.length}</span>
      </h2>
      <ul>
        {cards.map((card) => (
          <li key={card.id} className="slot">
            {isTarget && landing === card.id && <div className="landing" aria-hidden="true" />}
            <CardTile
              card={card}
              isDragged={dragged === card.id}
              isDone={column.isDone}
              onDrag={onDrag}
              onNudge={(direction) => onNudge(card, direction)}
              onOpen={() => onOpen(card)}
            />
          </li>
        ))}
        {isTarget && landing === null && line}
        {cards.length === 0 && !isTarget && <li className="empty">Nothing here</li>}
      </ul>
      <Adder column={column} onAdd={onAdd} />
    </section>
  );
}

function Adder({ column, onAdd }: { column: Column; onAdd: (title: string) => Promise<void> }) {
  const [title, setTitle] = useState('');
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!title.trim()) return;
    setTitle('');
    void onAdd(title.trim());
  };
  return (
    <form className="adder" onSubmit={submit}>
      <input
        name={`new-${column.id}`}
        aria-label={`New card in ${column.name}`}
        placeholder="+ Add a card"
        maxLength={200}
        autoComplete="off"
        value={title}
        onChange={(event) => setTitle(event.target.value)}
      />
      {title.trim() && <button type="submit">Add</button>}
    </form>
  );
}
