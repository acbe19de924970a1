-- Programs of two versions work on one database while a fleet is upgraded: a migration leaves what
-- the version before reads and writes in place. One that cannot raises oldest_program to its own number.

ALTER TABLE spec_workflow_deployment ADD COLUMN oldest_program integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN spec_workflow_deployment.oldest_program IS
  'Number of the newest migration that a program must know at least to work with this schema.';
