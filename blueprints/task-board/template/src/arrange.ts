import type { Card } from './api.ts';

export interface Move {
  id: number;
  columnId: number;
  /** The card it goes in front of; null is the end of the column. */
  beforeId: number | null;
}

export const inColumn = (cards: Card[], columnId: number): Card[] => cards.filter((card) => card.columnId === columnId);

/** What the board looks like after a move, shown before the server has answered. */
export function applyMove(cards: Card[], { id, columnId, beforeId }: Move): Card[] {
  const moved = cards.find((card) => card.id === id);
  if (!moved || id === beforeId) return cards;
  const others = cards.filter((card) => card.id !== id);
  const at = others.findIndex((card) => card.id === beforeId);
  const place = at === -1 ? others.length : at;
  return [...others.slice(0, place), { ...moved, columnId }, ...others.slice(place)];
}

export type Direction = 'up' | 'down' | 'left' | 'right';

/** The move a key asks for, or undefined at an edge. */
export function moveBy(cards: Card[], columnIds: number[], card: Card, direction: Direction): Move | undefined {
  const column = inColumn(cards, card.columnId);
  const place = column.findIndex(({ id }) => id === card.id);
  if (direction === 'up') return place === 0 ? undefined : { id: card.id, columnId: card.columnId, beforeId: column[place - 1]?.id ?? null };
  if (direction === 'down') {
    return place === column.length - 1 ? undefined : { id: card.id, columnId: card.columnId, beforeId: column[place + 2]?.id ?? null };
  }
  const columnId = columnIds[columnIds.indexOf(card.columnId) + (direction === 'left' ? -1 : 1)];
  if (columnId === undefined) return undefined;
  return { id: card.id, columnId, beforeId: inColumn(cards, columnId)[place]?.id ?? null };
}
