/** All planted bugs that the simulator must see. */

import { attemptMutants } from "./attemptMutants.ts";
import { backupMutants } from "./backupMutants.ts";
import { blobMutants } from "./blobMutants.ts";
import { broadcastMutants } from "./broadcastMutants.ts";
import { bulkMutants } from "./bulkMutants.ts";
import { electionMutants } from "./electionMutants.ts";
import { familyMutants } from "./familyMutants.ts";
import { graphMutants } from "./graphMutants.ts";
import { jobMutants } from "./jobMutants.ts";
import { limitMutants } from "./limitMutants.ts";
import { masterMutants } from "./masterMutants.ts";
import { having, type Mutant } from "./mutant.ts";
import { recordMutants } from "./recordMutants.ts";
import { remoteMutants } from "./remoteMutants.ts";
import { retryMutants } from "./retryMutants.ts";
import { scheduleMutants } from "./scheduleMutants.ts";
import { schedulerMutants } from "./schedulerMutants.ts";
import { webhookMutants } from "./webhookMutants.ts";
import { workerMutants } from "./workerMutants.ts";

export const simulatedMutants: readonly Mutant[] = [
  ...masterMutants,
  ...electionMutants,
  ...schedulerMutants,
  ...attemptMutants,
  ...limitMutants,
  ...retryMutants,
  ...having("schedules", scheduleMutants),
  ...having("bulks", bulkMutants),
  ...familyMutants,
  ...graphMutants,
  ...broadcastMutants,
  ...recordMutants,
  ...having("blobActs", blobMutants),
  ...having("jobActs", jobMutants),
  ...having("jobActs", backupMutants),
  ...having("webhookActs", webhookMutants),
  ...having("remoteActs", remoteMutants),
  ...workerMutants,
];
