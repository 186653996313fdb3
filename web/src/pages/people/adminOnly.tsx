/** Shows a page to admins; to everybody else, why it is not there. The master refuses its calls, too. */
import type { ReactNode } from "react";
import { useSession } from "../../api/rights.ts";
import { Empty, PageHeader } from "../../parts/surfaces.tsx";

export function AdminOnly({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const session = useSession();
  if (session === undefined || session.may.includes("administer")) return children;
  return (
    <>
      <PageHeader title={title} />
      <div className="card">
        <Empty title="This page is for admins">Your role is {session.principal.role}. An admin can change it.</Empty>
      </div>
    </>
  );
}
