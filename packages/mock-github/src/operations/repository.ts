import { ok, refused } from "../answer.ts";
import { shaOf } from "../branches.ts";
import type { RepositoryOperation } from "./operation.ts";

export const getRepository: RepositoryOperation = {
  needs: ["metadata=read"],
  carryOut: ({ repository, answers, grant }) =>
    ok(answers.repository(repository, grant !== undefined)),
};

export const getBranch: RepositoryOperation = {
  needs: ["contents=read"],
  carryOut({ repository, answers, path }) {
    const name = path.branch ?? "";
    const sha = shaOf(repository.folder, name);
    return sha === undefined ? refused(404, "Branch not found") : ok(answers.branch(name, sha));
  },
};
