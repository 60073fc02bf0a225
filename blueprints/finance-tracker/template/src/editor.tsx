import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { explain, type Account, type Category, type Transaction } from './api.ts';
import { currentMonth, parseCents, today, toInput } from './format.ts';
import { Icon } from './icon.tsx';

export interface Draft {
  description: string;
  amountCents: number;
  occurredOn: string;
  categoryId: number;
  accountId: number;
}

interface Props {
  transaction: Transaction | undefined;
  accounts: Account[];
  categories: Category[];
  month: string;
  onSave: (draft: Draft) => Promise<void>;
  onClose: () => void;
}

export function Editor({ transaction, accounts, categories, month, onSave, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [direction, setDirection] = useState<'income' | 'expense'>((transaction?.amountCents ?? -1) > 0 ? 'income' : 'expense');
  const [problem, setProblem] = useState<string>();
  const [isSaving, setIsSaving] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  const offered = categories.filter((category) => category.direction === direction);
  const kept = offered.find((category) => category.id === transaction?.categoryId);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const cents = parseCents(String(form.get('amount')));
    if (cents === undefined) return setProblem('Enter an amount such as 12.50.');
    setIsSaving(true);
    try {
      await onSave({
        description: String(form.get('description')).trim(),
        amountCents: direction === 'income' ? cents : -cents,
        occurredOn: String(form.get('occurredOn')),
        categoryId: Number(form.get('categoryId')),
        accountId: Number(form.get('accountId')),
      });
    } catch (error) {
      setProblem(explain(error));
      setIsSaving(false);
    }
  };

  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="editor-title">
      <form onSubmit={(event) => void submit(event)}>
        <div className="dialog-head">
          <h2 id="editor-title">{transaction ? 'Edit transaction' : 'Add transaction'}</h2>
          <button type="button" className="ghost" aria-label="Close" onClick={() => dialog.current?.close()}>
            <Icon name="close" />
          </button>
        </div>

        <fieldset className="switch">
          <legend className="hidden">Direction</legend>
          {(['expense', 'income'] as const).map((choice) => (
            <label key={choice}>
              <input type="radio" name="direction" checked={direction === choice} onChange={() => setDirection(choice)} />
              <span>{choice === 'expense' ? 'Expense' : 'Income'}</span>
            </label>
          ))}
        </fieldset>

        <label>
          Amount
          <input
            name="amount"
            inputMode="decimal"
            autoFocus
            required
            placeholder="0.00"
            autoComplete="off"
            className="amount-input"
            defaultValue={transaction ? toInput(transaction.amountCents) : ''}
          />
        </label>
        <label>
          Description
          <input name="description" required maxLength={200} autoComplete="off" defaultValue={transaction?.description ?? ''} />
        </label>
        <div className="pair">
          <label>
            Category
            <select name="categoryId" key={direction} defaultValue={(kept ?? offered[0])?.id}>
              {offered.map((category) => (
                <option key={category.id} value={category.id}>
                  {category.name}
                </option>
              ))}
            </select>
          </label>
          <label>
            Account
            <select name="accountId" defaultValue={transaction?.accountId ?? accounts[0]?.id}>
              {accounts.map((account) => (
                <option key={account.id} value={account.id}>
                  {account.name}
                </option>
              ))}
            </select>
          </label>
        </div>
        <label>
          Date
          <input
            type="date"
            name="occurredOn"
            required
            defaultValue={transaction?.occurredOn ?? (month === currentMonth() ? today() : `${month}-01`)}
          />
        </label>

        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-foot">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={isSaving}>
            {transaction ? 'Save changes' : 'Add'}
          </button>
        </div>
      </form>
    </dialog>
  );
}
