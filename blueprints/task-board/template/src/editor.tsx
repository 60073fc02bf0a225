import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { explain, type Card, type Column } from './api.ts';

export interface Draft {
  title: string;
  notes: string;
  label: Card['label'];
  dueOn: string | null;
  columnId: number;
}

const LABELS: Card['label'][] = ['none', 'idea', 'bug', 'chore', 'urgent'];

interface Props {
  card: Card;
  columns: Column[];
  onSave: (draft: Draft) => Promise<void>;
  onDelete: () => Promise<void>;
  onClose: () => void;
}

export function Editor({ card, columns, onSave, onDelete, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<string>();
  const [isSaving, setIsSaving] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    setIsSaving(true);
    try {
      await onSave({
        title: text('title'),
        notes: text('notes'),
        label: LABELS.find((label) => label === text('label')) ?? 'none',
        dueOn: text('dueOn') || null,
        columnId: Number(text('columnId')),
      });
    } catch (error) {
      setProblem(explain(error));
      setIsSaving(false);
    }
  };

  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="editor-title">
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="editor-title">Card</h2>
        <label>
          Title
          <input name="title" required maxLength={200} autoComplete="off" defaultValue={card.title} />
        </label>
        <label>
          Notes
          <textarea name="notes" rows={4} maxLength={4000} defaultValue={card.notes} />
        </label>
        <div className="pair">
          <label>
            Column
            <select name="columnId" defaultValue={card.columnId}>
              {columns.map((column) => (
                <option key={column.id} value={column.id}>
                  {column.name}
                </option>
              ))}
            </select>
          </label>
          <label>
            Due
            <input type="date" name="dueOn" defaultValue={card.dueOn ?? ''} />
          </label>
        </div>
        <fieldset>
          <legend>Label</legend>
          {LABELS.map((label) => (
            <label key={label} className="choice">
              <input type="radio" name="label" value={label} defaultChecked={label === card.label} />
              <span className={`label ${label}`}>{label}</span>
            </label>
          ))}
        </fieldset>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="foot">
          <button type="button" className="danger" onClick={() => void onDelete()}>
            Delete
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={isSaving}>
            Save
          </button>
        </div>
      </form>
    </dialog>
  );
}
