-- The truth about runs. Times are the database's; a lease, a due time or a wake-up time is never
-- computed from a worker's clock.

CREATE TABLE spec_workflow_deployment (
  -- One row. Labels everything this deployment makes outside the database.
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  only_one boolean NOT NULL DEFAULT true UNIQUE CHECK (only_one)
);
INSERT INTO spec_workflow_deployment DEFAULT VALUES;

CREATE TABLE spec_workflow_workers (
  -- New for every process start, never reused.
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hostname text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Start time of the database server on which this worker holds its session lock. Null: it holds
  -- none, so nothing can be told of it; another start time: the lock went with that server.
  pg_started_at timestamptz
);

CREATE TABLE spec_workflow_runs (
  id uuid PRIMARY KEY,
  request jsonb NOT NULL,
  -- SHA-256 of the request as received, in canonical JSON, before defaults.
  request_hash text NOT NULL,
  idempotency_key text UNIQUE,
  repository text NOT NULL,
  git_remote text NOT NULL,
  branch text NOT NULL,
  agent text NOT NULL,
  pipeline text[] NOT NULL,

  -- What the phases found out.
  feature_directory text,
  feature_number integer,
  base_branch text,
  base_sha text,
  branch_old_sha text,
  tip_sha text,
  pushed boolean NOT NULL DEFAULT false,
  diff jsonb,

  -- Where the run is.
  status text NOT NULL GENERATED ALWAYS AS (
    CASE
      WHEN outcome IS NOT NULL THEN outcome
      WHEN parked_for = 'input' THEN 'needs_input'
      WHEN epoch = 0 THEN 'queued'
      ELSE 'in_progress'
    END
  ) STORED,
  outcome text CHECK (outcome IN ('succeeded', 'no_changes', 'failed', 'cancelled')),
  failure jsonb,
  phase_ix integer NOT NULL DEFAULT 0 CHECK (phase_ix >= 0),
  parked_for text CHECK (parked_for IN ('input')),
  cancel_requested_at timestamptz,

  -- Who may write: only the holder of this epoch.
  epoch bigint NOT NULL DEFAULT 0,
  lease_owner bigint REFERENCES spec_workflow_workers (id),
  lease_until timestamptz,
  handed_over boolean NOT NULL DEFAULT false,
  idle_claims integer NOT NULL DEFAULT 0,

  -- When to look again: not before due_at; the sweeper at wake_at, which is null only when all is done.
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  wake_at timestamptz DEFAULT clock_timestamp() + interval '15 seconds',
  sweeps integer NOT NULL DEFAULT 0,

  -- Outbox: events up to sent_seq have been confirmed by the transport.
  last_seq bigint NOT NULL DEFAULT 0,
  sent_seq bigint NOT NULL DEFAULT 0,
  reply_to text,
  correlation_id text,

  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  cleaned_at timestamptz,
  artifacts_expire_at timestamptz,

  CHECK ((cleaned_at IS NULL) = (wake_at IS NOT NULL)),
  CHECK (cleaned_at IS NULL OR outcome IS NOT NULL),
  CHECK ((outcome IS NULL) = (finished_at IS NULL)),
  CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
  CHECK (sent_seq <= last_seq)
);

CREATE INDEX spec_workflow_runs_wake ON spec_workflow_runs (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX spec_workflow_runs_never_claimed ON spec_workflow_runs (id) WHERE epoch = 0;
CREATE INDEX spec_workflow_runs_newest ON spec_workflow_runs (created_at DESC, id);
CREATE INDEX spec_workflow_runs_unsent ON spec_workflow_runs (created_at) WHERE sent_seq < last_seq;
CREATE INDEX spec_workflow_runs_features ON spec_workflow_runs (git_remote, feature_number);
-- A live run's branch is its own.
CREATE UNIQUE INDEX spec_workflow_runs_live_branch ON spec_workflow_runs (git_remote, branch)
  WHERE outcome IS NULL;

CREATE FUNCTION spec_workflow_outcome_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'run % has ended as %: an outcome never changes', OLD.id, OLD.outcome
    USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER spec_workflow_outcome_is_final
  BEFORE UPDATE OF outcome ON spec_workflow_runs
  FOR EACH ROW WHEN (OLD.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome)
  EXECUTE FUNCTION spec_workflow_outcome_is_final();

CREATE TABLE spec_workflow_task_states (
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  phase text NOT NULL,
  -- From 1 on; 0 for a phase that never started.
  attempt integer NOT NULL CHECK (attempt >= 0),
  state text NOT NULL CHECK (
    state IN ('running', 'succeeded', 'failed', 'interrupted', 'skipped', 'cancelled')
  ),
  -- Epoch of the owner that opened it.
  epoch bigint NOT NULL,
  ticket_used_at timestamptz,
  takeovers integer NOT NULL DEFAULT 0,
  failure jsonb,
  findings jsonb NOT NULL DEFAULT '[]',
  open_questions jsonb NOT NULL DEFAULT '[]',
  usage jsonb,
  changed boolean NOT NULL DEFAULT false,
  started_at timestamptz,
  ended_at timestamptz,
  PRIMARY KEY (run_id, phase, attempt),
  CHECK ((state = 'running') = (ended_at IS NULL)),
  CHECK ((attempt = 0) = (started_at IS NULL)),
  CHECK (attempt > 0 OR state IN ('skipped', 'cancelled'))
);
CREATE UNIQUE INDEX spec_workflow_task_states_one_running ON spec_workflow_task_states (run_id)
  WHERE state = 'running';
CREATE UNIQUE INDEX spec_workflow_task_states_one_success ON spec_workflow_task_states (run_id, phase)
  WHERE state = 'succeeded';

-- Events are written in the transaction of what they tell, and sent from here.
CREATE TABLE spec_workflow_events (
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  seq bigint NOT NULL CHECK (seq > 0),
  type text NOT NULL,
  phase text,
  attempt integer,
  data jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, seq)
);

CREATE TABLE spec_workflow_artifacts (
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  name text NOT NULL,
  bytes bigint NOT NULL CHECK (bytes >= 0),
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, name)
);

-- The last good tree of a run, as a git bundle from its base: what it resumes from on any host.
CREATE TABLE spec_workflow_checkpoints (
  run_id uuid PRIMARY KEY REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  tip_sha text NOT NULL,
  bundle bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE spec_workflow_checkpoints ALTER COLUMN bundle SET STORAGE EXTERNAL;

CREATE TABLE spec_workflow_commands (
  id uuid PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  command text NOT NULL CHECK (command IN ('cancel')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
