/** What a handler asks its worker for, of the files of its attempt. */

/** What `ctx.files` asks for. Paths are relative to the attempt's folder, with slashes. */
export type FilesRequest =
  | { readonly do: "folder" }
  /** Puts a blob into the folder; `reference` is `sha256:` and 64 hex digits. */
  | { readonly do: "input"; readonly reference: string; readonly path: string }
  /** Keeps a file of the folder as an artifact of the attempt. */
  | { readonly do: "publish"; readonly path: string };

export type FilesAnswer =
  /** Absolute: of the folder, or of the file in it. */
  | { readonly path: string }
  | { readonly sha256: string; readonly size: number }
  | { readonly problem: { readonly code: string; readonly message: string } };
