/** The frame of every drawn icon: 16 units square, in one line weight, and hidden from screen readers, which read the words beside it. */
import type { ReactNode } from "react";

export function IconFrame({
  size = 16,
  weight = 1.4,
  children,
}: {
  readonly size?: number;
  readonly weight?: number;
  readonly children: ReactNode;
}) {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth={weight}
      strokeLinecap="round"
      strokeLinejoin="round"
      className="shrink-0"
    >
      {children}
    </svg>
  );
}
