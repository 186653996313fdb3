/** The filters of the audit record, as they stand in its address. */

export interface AuditFilters {
  readonly by?: string;
  readonly action?: string;
  readonly target?: string;
  readonly outcome?: "done" | "refused";
}

/** Whatever an address says, without what means nothing. */
export function readAuditFilters(search: Readonly<Record<string, unknown>>): AuditFilters {
  const { outcome } = search;
  const names = ["by", "action", "target"] as const;
  const given = names.flatMap((name) => {
    const value = search[name];
    return typeof value === "string" && value !== "" ? [[name, value] as const] : [];
  });
  return { ...Object.fromEntries(given), ...((outcome === "done" || outcome === "refused") && { outcome }) };
}
