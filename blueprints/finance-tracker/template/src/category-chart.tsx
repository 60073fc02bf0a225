import type { CategoryTotal } from './api.ts';
import { formatCents } from './format.ts';

const ROW = 44;

interface Props {
  totals: CategoryTotal[] | undefined;
  selected: number | undefined;
  onSelect: (categoryId: number | undefined) => void;
}

/** Horizontal bars in SVG; a bar filters the ledger below by its category. */
export function CategoryChart({ totals, selected, onSelect }: Props) {
  if (!totals) return <div className="skeleton tall" />;
  if (totals.length === 0) return <p className="empty">Nothing spent this month. Lucky you, or nothing entered yet.</p>;

  const largest = Math.max(...totals.map((total) => total.spentCents));
  const sum = totals.reduce((all, total) => all + total.spentCents, 0);
  return (
    <svg className="bars" width="100%" height={totals.length * ROW} role="group" aria-label="Spending by category">
      {totals.map((total, index) => {
        const isSelected = selected === total.categoryId;
        const toggle = () => onSelect(isSelected ? undefined : total.categoryId);
        const label = `${total.name}: ${formatCents(total.spentCents)}, ${Math.round((100 * total.spentCents) / sum)} % of spending`;
        return (
          <g
            key={total.categoryId}
            className={selected !== undefined && !isSelected ? 'bar-row faded' : 'bar-row'}
            transform={`translate(0 ${index * ROW})`}
            role="button"
            tabIndex={0}
            aria-pressed={isSelected}
            aria-label={label}
            onClick={toggle}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' && event.key !== ' ') return;
              event.preventDefault();
              toggle();
            }}
          >
            <rect className="hit" width="100%" height={ROW} />
            <text x="0" y="17">{total.name}</text>
            <text x="100%" y="17" textAnchor="end" className="amount">{formatCents(total.spentCents)}</text>
            <rect className="track" y="25" width="100%" height="10" rx="5" />
            <rect y="25" width={`${Math.max(2, (100 * total.spentCents) / largest)}%`} height="10" rx="5" fill={total.colour} />
          </g>
        );
      })}
    </svg>
  );
}
