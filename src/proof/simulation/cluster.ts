/** All parts of one simulated cluster. */
import { BlobUser } from "./blobUser.ts";
import { ClientNode } from "./client.ts";
import { EventReader } from "./eventReader.ts";
import { JobUser } from "./jobUser.ts";
import type { Knobs } from "./knobs.ts";
import { MasterNode } from "./masterNode.ts";
import { Outsider } from "./outsider.ts";
import { RemoteUser } from "./remoteUser.ts";
import { Signaller } from "./signaller.ts";
import { TemplateUser } from "./templateUser.ts";
import { UniqueUser } from "./uniqueUser.ts";
import { WebhookUser } from "./webhookUser.ts";
import { WorkerNode } from "./workerNode.ts";
import { World } from "./world.ts";

export class Cluster extends World {
  override readonly masters: readonly MasterNode[];
  override readonly workers: readonly WorkerNode[];
  readonly clients: readonly ClientNode[];
  readonly followers: readonly EventReader[];
  readonly outsider: Outsider;
  readonly signaller: Signaller;
  readonly templateUser: TemplateUser;
  readonly uniqueUser: UniqueUser;
  readonly blobUser: BlobUser;
  readonly jobUser: JobUser;
  readonly webhookUser: WebhookUser;
  readonly remoteUser: RemoteUser;

  constructor(knobs: Knobs) {
    super(knobs);
    this.masters = numbered(knobs.masters, (count) => new MasterNode(this, `master-${count}`));
    this.workers = numbered(knobs.workers, (count) => new WorkerNode(this, `worker-${count}`));
    this.clients = numbered(knobs.clients, (count) => new ClientNode(this, `client-${count}`));
    this.outsider = new Outsider(this, () => this.masters.some((master) => master.isLeading));
    this.signaller = new Signaller(this);
    this.templateUser = new TemplateUser(this);
    this.uniqueUser = new UniqueUser(this);
    this.blobUser = new BlobUser(this);
    this.jobUser = new JobUser(this);
    this.webhookUser = new WebhookUser(this);
    this.remoteUser = new RemoteUser(this);
    this.followers = numbered(knobs.followers, (count) => new EventReader(this, `follower-${count}`));
  }
}

function numbered<Item>(count: number, make: (count: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index + 1));
}
