import type { MonthTotal } from './api.ts';
import { formatCents, formatCompact, monthName } from './format.ts';

const HEIGHT = 110;
const COLUMN = 60;

interface Props {
  months: MonthTotal[] | undefined;
  onSelect: (month: string) => void;
}

/** Income beside spending for the last months; the newest is the month shown. */
export function TrendChart({ months, onSelect }: Props) {
  if (!months) return <div className="skeleton tall" />;
  const largest = Math.max(1, ...months.flatMap((month) => [month.incomeCents, month.expenseCents]));
  const height = (cents: number) => (cents === 0 ? 2 : Math.max(4, (HEIGHT * cents) / largest));
  return (
    <>
      <svg className="trend" viewBox={`0 0 ${months.length * COLUMN} ${HEIGHT + 22}`} role="group" aria-label="Income and spending by month">
        {months.map((month, index) => (
          <g
            key={month.month}
            className="bar-row"
            transform={`translate(${index * COLUMN} 0)`}
            role="button"
            tabIndex={0}
            aria-label={`${monthName(month.month)}: income ${formatCents(month.incomeCents)}, spent ${formatCents(month.expenseCents)}`}
            onClick={() => onSelect(month.month)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') onSelect(month.month);
            }}
          >
            <rect className="hit" width={COLUMN} height={HEIGHT + 22} />
            <rect className="income" x="14" y={HEIGHT - height(month.incomeCents)} width="14" height={height(month.incomeCents)} rx="3" />
            <rect className="expense" x="32" y={HEIGHT - height(month.expenseCents)} width="14" height={height(month.expenseCents)} rx="3" />
            <text x={COLUMN / 2} y={HEIGHT + 17} textAnchor="middle" className={index === months.length - 1 ? 'now' : ''}>
              {monthName(month.month, 'short')}
            </text>
          </g>
        ))}
      </svg>
      <p className="legend">
        <span className="in">Income</span> <span className="out">Spent</span>
        <small>tallest bar {formatCompact(largest === 1 ? 0 : largest)}</small>
      </p>
    </>
  );
}
