import { useState } from 'react';
import { api, explain, type Transaction } from './api.ts';
import { APP_NAME } from './app-name.ts';
import { CategoryChart } from './category-chart.tsx';
import { Editor, type Draft } from './editor.tsx';
import { currentMonth, formatCents, monthName, shiftMonth } from './format.ts';
import { Icon } from './icon.tsx';
import { Ledger, type Filter } from './ledger.tsx';
import { TrendChart } from './trend-chart.tsx';
import { useLoad } from './use-load.ts';

interface Toast {
  text: string;
  undo?: () => void;
}

export function App() {
  const [month, setMonth] = useState(currentMonth);
  const [filter, setFilter] = useState<Filter>({});
  const [editing, setEditing] = useState<Transaction | 'new'>();
  const [toast, setToast] = useState<Toast>();

  const lists = useLoad('lists', async () => {
    const [accounts, categories] = await Promise.all([api.accounts.list.query(), api.categories.list.query()]);
    return { accounts, categories };
  });
  const summary = useLoad(month, () => api.summary.month.query({ month }));
  const query = { ...filter, month, limit: 200 };
  const ledger = useLoad(JSON.stringify(query), () => api.transactions.list.query(query));

  const refresh = () => {
    lists.reload();
    summary.reload();
    ledger.reload();
  };

  const save = async (draft: Draft) => {
    if (editing === 'new') await api.transactions.create.mutate(draft);
    else if (editing) await api.transactions.update.mutate({ ...draft, id: editing.id });
    setEditing(undefined);
    setToast({ text: editing === 'new' ? 'Transaction added.' : 'Changes saved.' });
    if (draft.occurredOn.slice(0, 7) !== month) setMonth(draft.occurredOn.slice(0, 7));
    refresh();
  };

  const remove = async (transaction: Transaction) => {
    try {
      await api.transactions.delete.mutate({ id: transaction.id });
      const { description, amountCents, occurredOn, categoryId, accountId } = transaction;
      const undo = () => {
        setToast(undefined);
        api.transactions.create
          .mutate({ description, amountCents, occurredOn, categoryId, accountId })
          .then(refresh, (error: unknown) => setToast({ text: explain(error) }));
      };
      setToast({ text: `Deleted “${description}”.`, undo });
    } catch (error) {
      setToast({ text: explain(error) });
    }
    refresh();
  };

  const problem = lists.error ?? summary.error ?? ledger.error;
  const total = lists.value?.accounts.reduce((sum, account) => sum + account.balanceCents, 0);

  return (
    <>
      <header className="bar">
        <h1>
          <Icon name="logo" /> {APP_NAME}
        </h1>
        <nav className="months" aria-label="Month">
          <button type="button" className="ghost" aria-label="Previous month" onClick={() => setMonth(shiftMonth(month, -1))}>
            <Icon name="left" />
          </button>
          <strong aria-live="polite">{monthName(month)}</strong>
          <button type="button" className="ghost" aria-label="Next month" onClick={() => setMonth(shiftMonth(month, 1))}>
            <Icon name="right" />
          </button>
        </nav>
        <button type="button" className="primary" disabled={!lists.value} onClick={() => setEditing('new')}>
          <Icon name="plus" /> Add transaction
        </button>
      </header>

      <main>
        {problem && (
          <p className="problem" role="alert">
            {problem} Trying again…
          </p>
        )}

        <section className="figures" aria-label="This month">
          <Figure label="Income" cents={summary.value?.incomeCents} tone="in" />
          <Figure label="Spent" cents={summary.value?.expenseCents} tone="out" />
          <Figure label="Left over" cents={summary.value?.netCents} />
          <Figure label="Across all accounts" cents={total} />
        </section>

        <div className="panels">
          <section className="panel" aria-labelledby="by-category">
            <h2 id="by-category">Spending by category</h2>
            <CategoryChart
              totals={summary.value?.byCategory}
              selected={filter.categoryId}
              onSelect={(categoryId) => setFilter({ ...filter, categoryId })}
            />
          </section>
          <div className="stack">
            <section className="panel" aria-labelledby="trend">
              <h2 id="trend">Six months</h2>
              <TrendChart months={summary.value?.trend} onSelect={setMonth} />
            </section>
            <section className="panel" aria-labelledby="accounts">
              <h2 id="accounts">Accounts</h2>
              <ul className="accounts">
                {lists.value?.accounts.map((account) => (
                  <li key={account.id}>
                    <span>
                      {account.name} <small>{account.kind}</small>
                    </span>
                    <span className={account.balanceCents < 0 ? 'cents out' : 'cents'}>
                      {formatCents(account.balanceCents)}
                    </span>
                  </li>
                ))}
              </ul>
            </section>
          </div>
        </div>

        <Ledger
          page={ledger.value}
          lists={lists.value}
          filter={filter}
          onFilter={setFilter}
          onEdit={setEditing}
          onDelete={(transaction) => void remove(transaction)}
          onAdd={() => setEditing('new')}
        />
      </main>

      {editing && lists.value && (
        <Editor
          transaction={editing === 'new' ? undefined : editing}
          accounts={lists.value.accounts}
          categories={lists.value.categories}
          month={month}
          onSave={save}
          onClose={() => setEditing(undefined)}
        />
      )}

      <div className="toasts" role="status">
        {toast && (
          <div className="toast">
            {toast.text}
            {toast.undo && (
              <button type="button" onClick={toast.undo}>
                Undo
              </button>
            )}
            <button type="button" aria-label="Dismiss" onClick={() => setToast(undefined)}>
              <Icon name="close" />
            </button>
          </div>
        )}
      </div>
    </>
  );
}

function Figure({ label, cents, tone }: { label: string; cents: number | undefined; tone?: 'in' | 'out' }) {
  return (
    <div className={`figure ${tone ?? ''}`}>
      <span>{label}</span>
      <strong>{cents === undefined ? <i className="skeleton" /> : formatCents(cents)}</strong>
    </div>
  );
}
