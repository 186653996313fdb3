/** Submissions as users of the client write them: the type of the input follows from the kind. */
import type { KindInputs } from "../model/kinds/table.ts";
import type { Submission } from "../model/submission.ts";

/**
 * A submission of a kind. Without a parameter it is one of any built-in kind. `TypedSubmission<"resize">` is one for the handler
 * `resize`, whose input is any JSON; `TypedSubmission<string>` is one whose kind is not known to the compiler.
 */
export type TypedSubmission<Kind extends string = keyof KindInputs> = Kind extends keyof KindInputs
  ? Omit<Submission, "kind" | "input"> & { readonly kind: Kind; readonly input: KindInputs[Kind] }
  : Submission & { readonly kind: Kind };

/** The same as the type of a parameter, so that the compiler finds the kind in the argument. */
export type SubmissionArgument<Kind extends string> = { readonly kind: Kind } & TypedSubmission<Kind>;
