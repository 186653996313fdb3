/** The icons of the navigation, drawn in one line weight. */
import type { ReactNode } from "react";
import { IconFrame } from "../parts/iconFrame.tsx";

const paths = {
  overview: "M2.5 9.5h4v4h-4zM2.5 2.5h4v4h-4zM9.5 2.5h4v7h-4zM9.5 12.5h4v1h-4z",
  tasks: "M6 4h7.5M6 8h7.5M6 12h7.5M2.5 4h.5M2.5 8h.5M2.5 12h.5",
  workers: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.1M5 11h.1",
  queues: "M3 3.5h10M3 6.5h10M3 9.5h6M3 12.5h4",
  timeline: "M2.5 4h5M5.5 8h7M3.5 12h4M11 12h2.5",
  schedules: "M8 2.3a5.7 5.7 0 1 0 0 11.4a5.7 5.7 0 0 0 0-11.4M8 5v3l2 1.5",
  templates: "M3.5 2.5h6l3 3v8h-9zM9.5 2.5v3h3M5.5 8.5h5M5.5 11h3",
  webhooks: "M2.5 8h4M9.5 4.5 6.500 8l3 3.5M11.5 4.500a1.5 1.5 0 1 0 0-.1M11.5 11.5a1.5 1.5 0 1 0 0-.1",
  jobs: "M2.5 3.5h2v2h-2zM7 3.5h2v2H7zM11.5 3.5h2v2h-2zM4.5 10.5h2v2h-2zM9.5 10.5h2v2h-2zM3.5 5.5l2 5M8 5.5l-2.5 5M8 5.5l2.5 5M12.5 5.5l-2 5",
  people:
    "M5.8 7.5a2.3 2.3 0 1 0 0-4.6a2.3 2.3 0 0 0 0 4.6M1.8 13.2c0-2.2 1.7-3.7 4-3.7s4 1.5 4 3.7M10.5 7.3a2 2 0 1 0 0-4M11.5 9.6c1.700.3 2.8 1.7 2.8 3.6",
  key: "M10.5 8.5a3 3 0 1 0-2.6-1.5L2.5 12.4v1.6h2l.8-1.2h1.4l.7-1.4 1.5-1.4",
  audit: "M4 2.5h8v11H4zM6 5.5h4M6 8h4M6 10.5h2.5",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }): ReactNode {
  return (
    <IconFrame>
      <path d={paths[name]} />
    </IconFrame>
  );
}
