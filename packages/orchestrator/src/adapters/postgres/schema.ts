import type { ColumnType, Generated, GeneratedAlways } from "kysely";

/** Tables as migrations/ makes them. int8 columns arrive as numbers: see open-database.ts. */
export interface Database {
  spec_workflow_deployment: { id: Generated<string>; oldest_program: Generated<number> };
  spec_workflow_workers: WorkersTable;
  spec_workflow_runs: RunsTable;
  spec_workflow_task_states: TaskStatesTable;
  spec_workflow_events: EventsTable;
  spec_workflow_artifacts: ArtifactsTable;
  spec_workflow_checkpoints: CheckpointsTable;
  spec_workflow_commands: CommandsTable;
  spec_workflow_answers: AnswersTable;
  spec_workflow_proposals: ProposalsTable;
  spec_workflow_credentials: CredentialsTable;
  spec_workflow_model_calls: ModelCallsTable;
  spec_workflow_egress: EgressTable;
}

/** jsonb: written as JSON text, read as a value. */
type Json<T> = ColumnType<T, string, string>;
type JsonWithDefault<T> = ColumnType<T, string | undefined, string>;
type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>;

interface WorkersTable {
  id: GeneratedAlways<number>;
  hostname: string;
  started_at: Generated<Date>;
  seen_at: Generated<Date>;
  pg_started_at: Nullable<Date>;
  engine_id: Nullable<string>;
  engine_seen_at: Nullable<Date>;
}

export interface RunsTable {
  id: string;
  request: Json<unknown>;
  request_hash: string;
  idempotency_key: Nullable<string>;
  repository: string;
  git_remote: string;
  branch: string;
  agent: string;
  pipeline: string[];
  feature_directory: Nullable<string>;
  feature_number: Nullable<number>;
  base_branch: Nullable<string>;
  base_sha: Nullable<string>;
  branch_old_sha: Nullable<string>;
  tip_sha: Nullable<string>;
  pushed: Generated<boolean>;
  diff: ColumnType<unknown, string | null | undefined, string | null>;
  pull_request: ColumnType<unknown, string | null | undefined, string | null>;
  spec_kit: ColumnType<unknown, string | null | undefined, string | null>;
  summary: ColumnType<unknown, string | null | undefined, string | null>;
  status: GeneratedAlways<string>;
  outcome: Nullable<string>;
  failure: ColumnType<unknown, string | null | undefined, string | null>;
  phase_ix: Generated<number>;
  parked_for: Nullable<string>;
  credential: Nullable<string>;
  cooled_ms: Generated<number>;
  question_round: Generated<number>;
  retry_of: Nullable<string>;
  first_phase_ix: Generated<number>;
  changed_before: Generated<boolean>;
  cancel_requested_at: Nullable<Date>;
  epoch: Generated<number>;
  lease_owner: Nullable<number>;
  lease_until: Nullable<Date>;
  handed_over: Generated<boolean>;
  idle_claims: Generated<number>;
  due_at: Generated<Date>;
  wake_at: Nullable<Date>;
  sweeps: Generated<number>;
  last_seq: Generated<number>;
  sent_seq: Generated<number>;
  reply_to: Nullable<string>;
  correlation_id: Nullable<string>;
  created_at: Generated<Date>;
  started_at: Nullable<Date>;
  finished_at: Nullable<Date>;
  cleaned_at: Nullable<Date>;
  artifacts_expire_at: Nullable<Date>;
}

export interface TaskStatesTable {
  run_id: string;
  phase: string;
  attempt: number;
  state: string;
  epoch: number;
  ticket_used_at: Nullable<Date>;
  takeovers: Generated<number>;
  engine_id: Nullable<string>;
  container_id: Nullable<string>;
  token_key: Nullable<string>;
  heard_at: Nullable<Date>;
  failure: ColumnType<unknown, string | null | undefined, string | null>;
  findings: JsonWithDefault<unknown>;
  open_questions: JsonWithDefault<unknown>;
  usage: ColumnType<unknown, string | null | undefined, string | null>;
  changed: Generated<boolean>;
  started_at: Nullable<Date>;
  ended_at: Nullable<Date>;
}

export interface EventsTable {
  run_id: string;
  seq: number;
  type: string;
  phase: string | null;
  attempt: number | null;
  data: Json<unknown>;
  created_at: Generated<Date>;
}

interface ArtifactsTable {
  run_id: string;
  name: string;
  bytes: number;
  sha256: string;
  created_at: Generated<Date>;
}

interface CheckpointsTable {
  run_id: string;
  tip_sha: string;
  bundle: Buffer;
  created_at: Generated<Date>;
}

interface CommandsTable {
  id: string;
  run_id: string;
  command: string;
  body_hash: string;
  created_at: Generated<Date>;
}

interface AnswersTable {
  run_id: string;
  round: number;
  answers: Json<unknown>;
  created_at: Generated<Date>;
}

export interface ProposalsTable {
  run_id: string;
  phase: string;
  attempt: number;
  tip_sha: string;
  facts: Json<unknown>;
  told: Json<unknown>;
  bundle: Buffer | null;
  decision: Nullable<string>;
  comment: Nullable<string>;
  created_at: Generated<Date>;
  decided_at: Nullable<Date>;
}

interface CredentialsTable {
  name: string;
  cooling_until: Date;
  reason: string;
  updated_at: Generated<Date>;
}

interface EgressTable {
  run_id: string;
  phase: string;
  attempt: number;
  source: string;
  host: string;
  port: number;
  outcome: string;
  requests: number;
  bytes_up: number;
  bytes_down: number;
  open: number;
  updated_at: Generated<Date>;
}

interface ModelCallsTable {
  run_id: string;
  phase: string;
  attempt: number;
  id: GeneratedAlways<number>;
  call_id: string;
  call: Json<unknown>;
  input_tokens: Nullable<number>;
  cached_input_tokens: Nullable<number>;
  output_tokens: Nullable<number>;
  cost_usd: Nullable<number>;
  recorded_at: Generated<Date>;
}
