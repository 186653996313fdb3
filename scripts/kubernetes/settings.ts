/** The settings files of a cluster's programs, as text. */
import { addresses } from "./machine.ts";

export const nodeName = "node-1";
export const podSubnet = "10.244.0.0/24";
export const serviceSubnet = "10.96.0.0/24";
export const apiPort = 6443;

/** Who may do anything: kubectl, and the programs of the cluster itself. */
export function kubeconfig(token: string, authority: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "admin",
    clusters: [
      {
        name: "cluster",
        cluster: { server: `https://${addresses.inside}:${apiPort}`, "certificate-authority": authority },
      },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "admin", context: { cluster: "cluster", user: "admin" } }],
  });
}

export function kubeletSettings(folder: string): string {
  return JSON.stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
    cgroupDriver: "cgroupfs",
    // Debian 12 without systemd has the older cgroups.
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    clusterDomain: "cluster.local",
    clusterDNS: [addresses.inside],
    resolvConf: `${folder}/resolv.conf`,
    podLogsDir: `${folder}/pods`,
    // The disk is that of the machine around, which may be nearly full.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    // A test waits for pods to be ready and to be gone.
    syncFrequency: "10s",
    registryPullQPS: 0,
  });
}

export function proxySettings(folder: string): string {
  return JSON.stringify({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: `${folder}/kubeconfig` },
    mode: "iptables",
    clusterCIDR: podSubnet,
    hostnameOverride: nodeName,
    // These settings are the whole machine's.
    conntrack: { maxPerCore: 0, min: 0, tcpCloseWaitTimeout: "0s", tcpEstablishedTimeout: "0s" },
  });
}

export function dnsSettings(folder: string): string {
  return `.:53 {
  bind ${addresses.inside}
  errors
  kubernetes cluster.local {
    kubeconfig ${folder}/kubeconfig admin
    ttl 1
  }
}
`;
}

export function containerdSettings(folder: string, pauseImage: string): string {
  return `version = 2
root = "${folder}/containerd"
state = "${folder}/containerd-state"
[grpc]
  address = "${folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
`;
}

export function podNetworkSettings(folder: string): string {
  return JSON.stringify({
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "bridge",
        bridge: "pods",
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          dataDir: `${folder}/addresses`,
          ranges: [[{ subnet: podSubnet }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  });
}
