/** Starts the dashboard in the browser. */
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { live, queries } from "./api/session.ts";
import { router } from "./router.tsx";
import { applyTheme } from "./shell/theme.tsx";
import "./styles.css";

applyTheme();
live.start();
const element = document.getElementById("root");
if (element !== null) {
  createRoot(element).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
