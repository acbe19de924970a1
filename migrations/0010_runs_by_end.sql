-- Runs that ended in a period, for statistics.

CREATE INDEX spec_workflow_runs_finished ON spec_workflow_runs (finished_at)
  WHERE finished_at IS NOT NULL;
COMMENT ON INDEX spec_workflow_runs_finished IS 'Statistics of a period.';
