-- What became of a run's pull request, and the command that publishes what a run has made.

ALTER TABLE spec_workflow_runs ADD COLUMN pull_request jsonb;

COMMENT ON COLUMN spec_workflow_runs.pull_request IS
  'Number, address and state of its pull request as pull_request left it, or why none was opened.';

ALTER TABLE spec_workflow_commands
  DROP CONSTRAINT spec_workflow_commands_command_check,
  ADD CONSTRAINT spec_workflow_commands_command_check CHECK (
    command IN ('cancel', 'answer', 'approve', 'reject', 'resume', 'retry', 'publish')
  );
