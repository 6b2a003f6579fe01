CREATE TABLE intel_entity_version (
    ad_account_id VARCHAR(64) NOT NULL,
    entity_type VARCHAR(64) NOT NULL,
    entity_id VARCHAR(64) NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    effective_status VARCHAR(32) NOT NULL,
    daily_budget_minor BIGINT,
    learning_stage VARCHAR(32),
    last_significant_edit_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_intel_entity_version PRIMARY KEY (ad_account_id, entity_type, entity_id, seen_at)
);

-- What is known of the past of entities seen before this table was there: what they are now.
INSERT INTO intel_entity_version
SELECT ad_account_id, entity_type, entity_id, seen_at, effective_status, daily_budget_minor,
       learning_stage, last_significant_edit_at
FROM intel_entity;
