/** Of a list with names, the one that an address asks for; and what is said where there is none of that name. */
import { useSeesAllQueues } from "../api/rights.ts";
import { Empty } from "./surfaces.tsx";

/** The first one where the address names none; never another one than it names. Undefined if it is not there. */
export function chosenOf<Named extends { readonly name: string }>(
  list: readonly Named[],
  name: string | undefined,
): Named | undefined {
  return name === undefined ? list[0] : list.find((each) => each.name === name);
}

interface NoneOfThatNameProps {
  readonly what: "schedule" | "template" | "webhook";
  readonly name: string;
}

export function NoneOfThatName({ what, name }: NoneOfThatNameProps) {
  const seesAll = useSeesAllQueues();
  return (
    <div className="card">
      <Empty title={`There is no ${what} ${name}`}>
        {seesAll ? "It may have been removed." : "It may have been removed, or be of another queue than yours."}
      </Empty>
    </div>
  );
}
