/** Largest values of what is kept of files: those of commands, and blobs. Part of `limits`. */
import { gibibyte, kibibyte, mebibyte, second } from "./units.ts";

export const fileLimits = {
  // Commands and the folder that they run in.
  execCommandsMax: 100,
  /** Files that are put into an attempt's folder. */
  execFilesMax: 100,
  execPatternsMax: 100,
  /** A path inside an attempt's folder, and one part of it, in bytes. */
  filePathBytesMax: 1024,
  fileNameBytesMax: 255,
  /** What one attempt leaves to be kept: files, and bytes of all of them. */
  artifactsMax: 1_000,
  artifactsBytesMax: 16 * gibibyte,
  artifactsPerItemMax: 100,
  /** Files and folders that are looked at for artifacts. */
  folderEntriesMax: 100_000,
  /** What a process that deals with files of another user says at once, in bytes: a list of artifacts with long names, at most. */
  treeFrameBytesMax: 8 * mebibyte,

  // Blobs: files that are kept for tasks.
  blobBodyBytesMax: 4 * gibibyte,
  /** Blobs that are judged, and pins that are dropped, by one entry. */
  blobsCollectedMax: 1_000,
  /** Of all blobs together; masters hold a small record of each in memory. */
  blobsMax: 200_000,
  objectNameLengthMax: 400,
  objectNamePartsMax: 8,
  /** What is read of a file at once. */
  blobPieceBytesMax: 256 * kibibyte,
  /** Uploads and downloads that one master serves at a time. */
  blobTransfersMax: 500,
  /** An upload of which nothing arrives for so long is given up. */
  uploadSilenceMsMax: 30 * second,
} as const;
