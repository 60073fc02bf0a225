CREATE TABLE columns (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name     text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 40),
  colour   text NOT NULL CHECK (colour ~ '^#[0-9a-f]{6}$'),
  is_done  boolean NOT NULL DEFAULT false,
  position integer NOT NULL
);

CREATE TABLE cards (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  column_id  bigint NOT NULL REFERENCES columns (id) ON DELETE RESTRICT,
  title      text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
  notes      text NOT NULL DEFAULT '' CHECK (length(notes) <= 4000),
  label      text NOT NULL DEFAULT 'none' CHECK (label IN ('none', 'idea', 'bug', 'chore', 'urgent')),
  due_on     date,
  position   integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX cards_in_order ON cards (column_id, position, id);

INSERT INTO columns (name, colour, is_done, position) VALUES
  ('To do', '#64748b', false, 1),
  ('In progress', '#4f46e5', false, 2),
  ('Review', '#b45309', false, 3),
  ('Done', '#15803d', true, 4);
