-- An archived card keeps its column; it comes back at that column's end.
ALTER TABLE cards ADD COLUMN archived_at timestamptz;
CREATE INDEX cards_archived ON cards (archived_at DESC, id DESC) WHERE archived_at IS NOT NULL;
