/** The files of a task: those that are put into the folder of its attempts, and those that it has left. */
import { useQuery } from "@tanstack/react-query";
import { segment } from "../../api/client.ts";
import { artifactsQuery } from "../../api/queries.ts";
import type { Task } from "../../api/schema.ts";
import { bytesText } from "../../parts/bytes.ts";
import { Card } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";

interface File {
  readonly path: string;
  readonly href: string;
  readonly bytes: number | null;
}

export function FilesCard({ task }: { readonly task: Task }) {
  const { data } = useQuery({ ...artifactsQuery(task.id), enabled: task.state === "success" });
  const left = (task.state === "success" ? (data?.artifacts ?? []) : []).map(({ path, size }): File => {
    return { path, href: `/v1/tasks/${segment(task.id)}/artifacts/${segment(path)}`, bytes: size };
  });
  return (
    <>
      <FileTable title="Files" note="put into the folder of each attempt" files={filesOf(task)} />
      <FileTable title="Artifacts" note="what the task has left" files={left} />
    </>
  );
}

function FileTable({
  title,
  note,
  files,
}: {
  readonly title: string;
  readonly note: string;
  readonly files: readonly File[];
}) {
  if (files.length === 0) return null;
  return (
    <Card title={title} note={note} isFlush>
      <Table label={title} heads={["Path", "Size"]}>
        {files.map(({ path, href, bytes }) => (
          <Row key={path}>
            <Cell className="font-medium">
              {/* A file is somebody's content: it is saved, and never shown as a page of this address. */}
              <a href={href} download={path.slice(path.lastIndexOf("/") + 1)} className="text-accent hover:underline">
                {path}
              </a>
            </Cell>
            <Cell className="figures text-soft">{bytes === null ? "–" : bytesText(bytes)}</Cell>
          </Row>
        ))}
      </Table>
    </Card>
  );
}

/** Of `exec`: `files` and `stdin` of its input, as far as they are blobs. */
function filesOf({ kind, input }: Task): readonly File[] {
  if (kind !== "exec" || typeof input !== "object" || input === null || Array.isArray(input)) return [];
  const { files, stdin } = input as { readonly files?: unknown; readonly stdin?: unknown };
  const named = typeof files === "object" && files !== null ? Object.entries(files) : [];
  const blob = typeof stdin === "object" && stdin !== null ? (stdin as { readonly blob?: unknown }).blob : undefined;
  const all: (readonly [string, unknown])[] = blob === undefined ? named : [["stdin", blob], ...named];
  return all.flatMap(([path, reference]) =>
    typeof reference === "string" ? [{ path, href: `/v1/blobs/${segment(reference)}`, bytes: null }] : [],
  );
}
