-- One limit per category and month; a category without a row has none.
CREATE TABLE budgets (
  category_id bigint PRIMARY KEY REFERENCES categories (id) ON DELETE CASCADE,
  limit_cents bigint NOT NULL CHECK (limit_cents BETWEEN 1 AND 1000000000000),
  updated_at  timestamptz NOT NULL DEFAULT now()
);
