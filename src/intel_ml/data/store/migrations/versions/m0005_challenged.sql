CREATE INDEX ix_intel_decision_challenged ON intel_decision (ad_account_id, as_of)
    WHERE challenger ->> 'arm' <> 'maintain';
