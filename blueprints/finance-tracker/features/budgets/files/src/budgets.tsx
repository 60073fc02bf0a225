import { useState, type SubmitEvent } from 'react';
import type { Budget } from '../server/budgets.ts';
import { api, explain } from './api.ts';
import { formatCents, parseCents, toInput } from './format.ts';

interface Props {
  budgets: Budget[] | undefined;
  onChange: () => void;
}

export function Budgets({ budgets, onChange }: Props) {
  const [editing, setEditing] = useState<number>();
  const [isAdding, setIsAdding] = useState(false);
  const limited = budgets?.filter((budget) => budget.limitCents !== null);
  const open = budgets?.filter((budget) => budget.limitCents === null) ?? [];
  const close = () => {
    setEditing(undefined);
    setIsAdding(false);
    onChange();
  };

  return (
    <section className="panel budgets" aria-labelledby="budgets">
      <div className="ledger-head">
        <h2 id="budgets">Budgets this month</h2>
        {open.length > 0 && !isAdding && (
          <button type="button" className="ghost" onClick={() => setIsAdding(true)}>
            Set a budget
          </button>
        )}
      </div>
      {!limited && <div className="skeleton tall" />}
      {limited?.length === 0 && !isAdding && <p className="empty">No budgets yet: set a limit for a category and see here what is left of it.</p>}
      <ul>
        {limited?.map((budget) => (
          <li key={budget.categoryId}>
            {editing === budget.categoryId ? (
              <LimitForm choices={[budget]} onDone={close} />
            ) : (
              <button type="button" className="budget" aria-label={`${budget.name}: ${sentence(budget)}. Change the budget`} onClick={() => setEditing(budget.categoryId)}>
                <Meter budget={budget} />
              </button>
            )}
          </li>
        ))}
        {isAdding && (
          <li>
            <LimitForm choices={open} onDone={close} />
          </li>
        )}
      </ul>
    </section>
  );
}

function Meter({ budget }: { budget: Budget }) {
  const limit = budget.limitCents ?? 0;
  const share = Math.min(100, (100 * budget.spentCents) / limit);
  const isOver = budget.spentCents > limit;
  return (
    <>
      <span className="budget-head">
        <strong>{budget.name}</strong>
        <span className={isOver ? 'cents out' : 'cents'}>{sentence(budget)}</span>
      </span>
      <span className="meter" aria-hidden="true">
        <i style={{ width: `${share}%`, background: isOver ? 'var(--out)' : budget.colour }} />
      </span>
    </>
  );
}

function sentence({ limitCents, spentCents }: Budget): string {
  const left = (limitCents ?? 0) - spentCents;
  return left < 0 ? `${formatCents(-left)} over ${formatCents(limitCents ?? 0)}` : `${formatCents(left)} left of ${formatCents(limitCents ?? 0)}`;
}

function LimitForm({ choices, onDone }: { choices: Budget[]; onDone: () => void }) {
  const [problem, setProblem] = useState<string>();
  const [first] = choices;
  const isNew = first?.limitCents === null;

  const store = async (categoryId: number, limitCents: number | null) => {
    try {
      await api.budgets.set.mutate({ categoryId, limitCents });
      onDone();
    } catch (error) {
      setProblem(explain(error));
    }
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const cents = parseCents(String(form.get('limit')));
    if (cents === undefined) return setProblem('Enter an amount such as 250.');
    void store(Number(form.get('categoryId')), cents);
  };

  if (!first) return null;
  return (
    <form className="limit" onSubmit={submit}>
      {isNew ? (
        <select name="categoryId" aria-label="Category">
          {choices.map((choice) => (
            <option key={choice.categoryId} value={choice.categoryId}>
              {choice.name}
            </option>
          ))}
        </select>
      ) : (
        <>
          <strong>{first.name}</strong>
          <input type="hidden" name="categoryId" value={first.categoryId} />
        </>
      )}
      <input name="limit" inputMode="decimal" autoComplete="off" autoFocus aria-label="Monthly limit" placeholder="250.00" defaultValue={first.limitCents === null ? '' : toInput(first.limitCents)} />
      <button type="submit" className="primary">
        Save
      </button>
      {!isNew && (
        <button type="button" className="ghost" onClick={() => void store(first.categoryId, null)}>
          Remove
        </button>
      )}
      <button type="button" className="ghost" onClick={onDone}>
        Cancel
      </button>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
