/** The filters of the audit record, as they stand in its address. */

export interface AuditFilters {
  readonly by?: string;
  readonly action?: string;
  readonly target?: string;
  readonly outcome?: "done" | "refused";
}

/** What was done or refused, in words: `drain worker`. Refusals of earlier versions are called after their route, `drainWorker`. */
export function actionText(action: string): string {
  return action.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll("-", " ");
}

/** As the record has it, of what somebody types who has read its words. */
export function actionOf(text: string): string {
  return text.trim().replaceAll(/\s+/g, "-");
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
