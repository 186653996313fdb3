/** A file that `outlast template put` takes, for whoever has none yet. */
export const exampleFile = "report.yaml";

export const example = `name: report
description: builds the report of one month
variables:
  month: { type: string, description: "for example 2026-11" }
  copies: { type: integer, minimum: 1, maximum: 20, default: 1 }
task:
  kind: exec
  input: { command: [./report.sh, "\${month}", --copies, "\${copies}"] }
`;
