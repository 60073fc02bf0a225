-- Amounts are integer cents: positive is money in, negative is money out.
CREATE TABLE accounts (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name          text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 60),
  kind          text NOT NULL CHECK (kind IN ('checking', 'savings', 'card', 'cash')),
  opening_cents bigint NOT NULL DEFAULT 0,
  position      integer NOT NULL DEFAULT 0,
  created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE categories (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name      text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 60),
  direction text NOT NULL CHECK (direction IN ('income', 'expense')),
  colour    text NOT NULL CHECK (colour ~ '^#[0-9a-f]{6}$'),
  position  integer NOT NULL DEFAULT 0
);

CREATE TABLE transactions (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id   bigint NOT NULL REFERENCES accounts (id) ON DELETE RESTRICT,
  category_id  bigint NOT NULL REFERENCES categories (id) ON DELETE RESTRICT,
  occurred_on  date NOT NULL,
  description  text NOT NULL CHECK (length(description) BETWEEN 1 AND 200),
  amount_cents bigint NOT NULL CHECK (amount_cents <> 0 AND abs(amount_cents) <= 1000000000000),
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX transactions_by_day ON transactions (occurred_on DESC, id DESC);
CREATE INDEX transactions_by_category ON transactions (category_id, occurred_on);
CREATE INDEX transactions_by_account ON transactions (account_id, occurred_on);
