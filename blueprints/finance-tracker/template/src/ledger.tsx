import type { Account, Category, Transaction } from './api.ts';
import { dayName, formatCents } from './format.ts';
import { Icon } from './icon.tsx';

export interface Filter {
  search?: string | undefined;
  categoryId?: number | undefined;
  accountId?: number | undefined;
}

interface Props {
  page: { items: Transaction[]; nextCursor?: unknown } | undefined;
  lists: { accounts: Account[]; categories: Category[] } | undefined;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  onEdit: (transaction: Transaction) => void;
  onDelete: (transaction: Transaction) => void;
  onAdd: () => void;
}

export function Ledger({ page, lists, filter, onFilter, onEdit, onDelete, onAdd }: Props) {
  const isFiltered = Boolean(filter.search) || filter.categoryId !== undefined || filter.accountId !== undefined;
  return (
    <section className="panel" aria-labelledby="ledger">
      <div className="ledger-head">
        <h2 id="ledger">Transactions</h2>
        <div className="filters" role="search">
          <label className="search">
            <Icon name="search" />
            <span className="hidden">Search descriptions</span>
            <input
              type="search"
              name="search"
              placeholder="Search"
              maxLength={100}
              value={filter.search ?? ''}
              onChange={(event) => onFilter({ ...filter, search: event.target.value || undefined })}
            />
          </label>
          <Choice
            label="All categories"
            options={lists?.categories ?? []}
            value={filter.categoryId}
            onChange={(categoryId) => onFilter({ ...filter, categoryId })}
          />
          <Choice
            label="All accounts"
            options={lists?.accounts ?? []}
            value={filter.accountId}
            onChange={(accountId) => onFilter({ ...filter, accountId })}
          />
          {isFiltered && (
            <button type="button" className="ghost" onClick={() => onFilter({})}>
              Clear
            </button>
          )}
        </div>
      </div>

      {!page && <div className="skeleton tall" />}
      {page?.items.length === 0 && (
        <div className="empty">
          <p>{isFiltered ? 'Nothing matches these filters.' : 'No transactions this month yet.'}</p>
          {!isFiltered && (
            <button type="button" className="primary" onClick={onAdd}>
              <Icon name="plus" /> Add the first one
            </button>
          )}
        </div>
      )}

      <ul className="ledger">
        {page?.items.map((transaction) => (
          <li key={transaction.id}>
            <i className="dot" style={{ background: transaction.categoryColour }} />
            <div className="what">
              <strong>{transaction.description}</strong>
              <small>
                {transaction.categoryName} · {transaction.accountName}
              </small>
            </div>
            <time dateTime={transaction.occurredOn}>{dayName(transaction.occurredOn)}</time>
            <span className={transaction.amountCents > 0 ? 'cents in' : 'cents'}>
              {transaction.amountCents > 0 && '+'}
              {formatCents(transaction.amountCents)}
            </span>
            <span className="actions">
              <button type="button" className="ghost" aria-label={`Edit ${transaction.description}`} onClick={() => onEdit(transaction)}>
                <Icon name="edit" />
              </button>
              <button type="button" className="ghost" aria-label={`Delete ${transaction.description}`} onClick={() => onDelete(transaction)}>
                <Icon name="trash" />
              </button>
            </span>
          </li>
        ))}
      </ul>
      {page?.nextCursor !== undefined && <p className="empty">Only the newest 200 are shown: narrow the filters for the rest.</p>}
    </section>
  );
}

interface ChoiceProps {
  label: string;
  options: { id: number; name: string }[];
  value: number | undefined;
  onChange: (id: number | undefined) => void;
}

function Choice({ label, options, value, onChange }: ChoiceProps) {
  return (
    <select
      aria-label={label}
      value={value ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? undefined : Number(event.target.value))}
    >
      <option value="">{label}</option>
      {options.map((option) => (
        <option key={option.id} value={option.id}>
          {option.name}
        </option>
      ))}
    </select>
  );
}
