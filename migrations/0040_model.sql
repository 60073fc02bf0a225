-- What the model is told to build; NULL for what a blueprint makes.
ALTER TABLE plan_subtasks ADD COLUMN brief text;
-- Spent by every attempt of every bucket of the operation: its budget outlives a worker.
ALTER TABLE operations ADD COLUMN model_tokens bigint NOT NULL DEFAULT 0;
