/** Validates requests against the schemas and explains what is wrong in a sentence. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { type ErrorCode, OutlastError } from "../../model/errors.ts";
import { limitKeyword, listKeyword, type Schema, wordsKeyword } from "../../model/schema.ts";
import { toError } from "../../model/schemaProblem.ts";
import { components, type SchemaName } from "../schemas/components.ts";

/** @throws OutlastError naming the first thing that is wrong */
export type Check = (value: unknown) => void;

const options = {
  // A test does that: here it would cost every start of a master a tenth of its time.
  validateSchema: false,
  // One error is enough. To collect all of them would cost much work for few bytes.
  allErrors: false,
  verbose: true,
  discriminator: true,
  strictTypes: false,
  // The schemas stand under `components`, as in the OpenAPI document.
  keywords: [limitKeyword, listKeyword, wordsKeyword, "components"],
  formats: { base64: true as const },
};
const root = { $id: "outlast", components: { schemas: components } };

/** Bodies: types are never converted. */
const strict = new Ajv2020(options);
strict.addSchema(root);
/** URLs and headers: numbers and booleans are parsed from text. */
const reading = new Ajv2020({ ...options, coerceTypes: true });

export function checkBody(name: SchemaName): Check {
  return check(() => bodyValidator(name), "invalid", "The body");
}

function bodyValidator(name: SchemaName): ValidateFunction {
  const validate = strict.getSchema(`outlast#/components/schemas/${name}`);
  if (validate === undefined) throw new Error(`There is no schema called ${name}.`);
  return validate;
}

/** For the parameters of a path or query, and for headers. Numbers and booleans among them are converted in place. */
export function checkParameters(schema: Schema, subject: string): Check {
  return check(() => reading.compile(schema), "bad-request", subject);
}

/** Compiles at the first use: a master that starts would compile for hundreds of milliseconds what it may never be asked. */
function check(compile: () => ValidateFunction, code: ErrorCode, subject: string): Check {
  let compiled: ValidateFunction | null = null;
  return (value) => {
    compiled ??= compile();
    const validate = compiled;
    if (validate(value) === true) return;
    const [first] = validate.errors ?? [];
    if (first === undefined) throw new OutlastError(code, `${subject} is not valid.`);
    const { keyword, instancePath: path, params, message } = first;
    throw toError({ keyword, path, params, message, schema: first.parentSchema ?? {} }, code, subject);
  };
}
