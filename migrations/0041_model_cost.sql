-- Millionths of the currency that ADORABLE_MODEL_PRICES is in; 0 where no prices are set.
ALTER TABLE operations ADD COLUMN model_micros bigint NOT NULL DEFAULT 0;
