ALTER TABLE intel_decision ADD COLUMN challenger JSONB;

CREATE INDEX ix_intel_decision_held_out ON intel_decision (ad_account_id, as_of) WHERE is_held_out;
