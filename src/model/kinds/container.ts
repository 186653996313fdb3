/** The kind `container`: runs an image with a worker's podman or docker. Its executor is `src/worker/executors/container.ts`. */
import type { JsonObject } from "../json.ts";
import { limits } from "../limits.ts";
import { closed, limitKeyword, list, truth, whole } from "../schema.ts";
import { invalid, isObject, type KindDefinition, quote } from "./kind.ts";
import { checkApart, checkText, checkVariables, processText, shellWord, variables } from "./processText.ts";

export interface ContainerInput {
  /** An image as engines name it: `docker.io/library/alpine:3.22`, or with a digest. */
  readonly image: string;
  /** What the image is started with: the words after its entry point. Its own if left out. */
  readonly command?: readonly string[];
  /** The program that is started instead of the image's entry point. */
  readonly entrypoint?: string;
  readonly env?: { readonly [name: string]: string };
  /** The same, shown to nobody who may only read. Values of one line. */
  readonly secretEnv?: { readonly [name: string]: string };
  /** Working directory in the container; absolute. */
  readonly cwd?: string;
  /** Unbounded if left out. */
  readonly memoryBytesMax?: number;
  /** How many processes and threads it may be at a time. */
  readonly processesMax?: number;
  /** How much processor time it may use: 1.5 is one and a half processors. */
  readonly cpusMax?: number;
  /** Folders and files of the worker's machine that it sees, where the worker's operator allows that. */
  readonly mounts?: readonly ContainerMount[];
}

export interface ContainerMount {
  /** On the worker's machine; absolute. */
  readonly source: string;
  /** In the container; absolute. */
  readonly target: string;
  /** False if left out: the container can only read it. */
  readonly isWritable?: boolean;
}

/** Registry, path, tag and digest; see the grammar of the distribution project. */
const imagePattern =
  /^(?<name>[a-z0-9][a-z0-9._-]*(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*)(?<tag>:\w[\w.-]{0,127})?(@[a-z][a-z0-9]*:[0-9a-f]{32,})?$/i;

/** What podman takes for the place of an image on the worker's own disk rather than for its name. */
const localPlace = /^(dir|oci|oci-archive|docker-archive|docker-daemon|containers-storage|sif|ostree|tarball):/i;

export const containerKind: KindDefinition = {
  name: "container",
  inputName: "ContainerInput",
  inputSchema: closed(
    { image: { type: "string", minLength: 1, maxLength: limits.imageLengthMax, [limitKeyword]: "imageLengthMax" } },
    {
      command: list(processText, {
        maxItems: limits.execArgumentsMax,
        [limitKeyword]: "execArgumentsMax",
        description: "The words after the image's entry point; its own if left out.",
      }),
      entrypoint: { ...processText, description: "The program that is started instead of the image's entry point." },
      env: variables,
      secretEnv: { ...variables, description: "Like `env`, and hidden from those who may only read." },
      cwd: { ...processText, description: "Working directory in the container." },
      memoryBytesMax: whole(limits.containerMemoryBytesMin, limits.execMemoryBytesMax, "execMemoryBytesMax"),
      processesMax: whole(1, limits.execProcessesMax, "execProcessesMax"),
      cpusMax: {
        type: "number",
        minimum: 0.01,
        maximum: limits.containerCpusMax,
        [limitKeyword]: "containerCpusMax",
        description: "How much processor time it may use: 1.5 is one and a half processors.",
      },
      mounts: list(closed({ source: processText, target: processText }, { isWritable: { ...truth, default: false } }), {
        maxItems: limits.containerMountsMax,
        [limitKeyword]: "containerMountsMax",
        description: "Folders of the worker's machine that it sees, where the worker's operator allows them.",
      }),
    },
    { examples: [{ image: "docker.io/library/alpine:3.22", command: ["echo", "hello"] }] },
  ),
  secretMembers: ["secretEnv"],
  workerCommand: "outlast worker --container",
  check: checkContainer,
  describe: ({ image, command = [] }) =>
    typeof image === "string" && Array.isArray(command) ? [image, ...command.map(shellWord)].join(" ") : null,
};

function checkContainer(input: JsonObject, path: string): void {
  const { env = {}, secretEnv = {}, command = [], entrypoint = "", cwd, mounts = [] } = input;
  checkImage(input["image"] as string, `${path}/image`);
  for (const [index, word] of (command as string[]).entries()) checkText(word, `${path}/command/${index}`);
  checkText(entrypoint as string, `${path}/entrypoint`);
  if (cwd !== undefined) checkPath(cwd as string, `${path}/cwd`);
  checkVariables(env, `${path}/env`, /^OUTLAST_/);
  checkVariables(secretEnv, `${path}/secretEnv`, /^OUTLAST_/);
  checkApart(env, secretEnv, path);
  for (const [name, value] of Object.entries(isObject(secretEnv) ? secretEnv : {})) {
    if (/[\r\n]/.test(value as string))
      throw invalid(
        `${path}/secretEnv/${name}`,
        "A secret variable of a container has one line: engines read such variables from a file, line by line.",
      );
  }
  for (const [index, mount] of (mounts as unknown as ContainerMount[]).entries()) {
    checkPath(mount.source, `${path}/mounts/${index}/source`);
    checkPath(mount.target, `${path}/mounts/${index}/target`);
  }
}

function checkImage(image: string, path: string): void {
  if (localPlace.test(image))
    throw invalid(
      path,
      `${quote(image)} could name a place on the worker's disk. Write the whole name, with its registry.`,
    );
  if (!imagePattern.test(image))
    throw invalid(path, `${quote(image)} is not the name of an image, such as docker.io/library/alpine:3.22.`);
}

/** What an engine takes apart at these characters cannot be given to it. */
function checkPath(given: string, path: string): void {
  checkText(given, path);
  if (!given.startsWith("/")) throw invalid(path, `${quote(given)} is not an absolute path.`);
  if (/[,:"\r\n]/.test(given)) throw invalid(path, `${quote(given)} holds a character that no mount can have: , : "`);
}
