/** `npm run kubernetes`: a Kubernetes cluster of one node on this machine, with kubectl for it, until Ctrl-C. */
import { once } from "node:events";
import { KubernetesCluster } from "./cluster.ts";

const cluster = await KubernetesCluster.start((text) => console.log(text));
console.log(`export KUBECONFIG=${cluster.kubeconfig} PATH=${cluster.programs}:$PATH`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await cluster.stop();
