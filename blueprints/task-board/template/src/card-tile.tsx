import type { KeyboardEvent } from 'react';
import type { Card } from './api.ts';
import type { Direction } from './arrange.ts';

const KEYS: Record<string, Direction> = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right' };

interface Props {
  card: Card;
  isDragged: boolean;
  isDone: boolean;
  onDrag: (id: number | undefined) => void;
  onNudge: (direction: Direction) => void;
  onOpen: () => void;
}

export function CardTile({ card, isDragged, isDone, onDrag, onNudge, onOpen }: Props) {
  const press = (event: KeyboardEvent) => {
    const direction = event.altKey ? KEYS[event.key] : undefined;
    if (!direction) return;
    event.preventDefault();
    onNudge(direction);
  };
  return (
    <button
      type="button"
      className={`card${isDragged ? ' dragged' : ''}${isDone ? ' done' : ''}`}
      data-card={card.id}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = 'move';
        event.dataTransfer.setData('text/plain', card.title);
        onDrag(card.id);
      }}
      onDragEnd={() => onDrag(undefined)}
      onClick={onOpen}
      onKeyDown={press}
    >
      {card.label !== 'none' && <span className={`label ${card.label}`}>{card.label}</span>}
      <strong>{card.title}</strong>
      {card.notes && <span className="notes">{card.notes}</span>}
      {card.dueOn && <Due day={card.dueOn} isDone={isDone} />}
    </button>
  );
}

function Due({ day, isDone }: { day: string; isDone: boolean }) {
  const date = new Date(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, Number(day.slice(8, 10)), 23, 59);
  const isLate = !isDone && date.getTime() < Date.now();
  return (
    <time dateTime={day} className={isLate ? 'due late' : 'due'}>
      {isLate ? 'Late: ' : 'Due '}
      {date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' })}
    </time>
  );
}
