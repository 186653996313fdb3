/** Shows a page to those who may use it; to everybody else, why it is not there. The master refuses its calls, too. */
import type { ReactNode } from "react";
import { type Permission, useSession } from "../api/rights.ts";
import { Empty, PageHeader } from "./surfaces.tsx";

const whoMay = { operate: "operators and admins", administer: "admins" } as const satisfies {
  readonly [Name in Permission]?: string;
};

interface OnlyForProps {
  readonly needs: keyof typeof whoMay;
  /** Of the page. */
  readonly title: string;
  readonly children: ReactNode;
}

export function OnlyFor({ needs, title, children }: OnlyForProps) {
  const session = useSession();
  if (session === undefined || session.may.includes(needs)) return children;
  return (
    <>
      <PageHeader title={title} />
      <div className="card">
        <Empty title={`This page is for ${whoMay[needs]}`}>
          Your role is {session.principal.role}. An admin can change it.
        </Empty>
      </div>
    </>
  );
}
