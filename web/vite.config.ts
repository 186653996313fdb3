/** How the dashboard is built: into `dist/web`, with nothing inline, so that the strictest content policy fits. */
import { fileURLToPath } from "node:url";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [react(), tailwind()],
  build: {
    outDir: fileURLToPath(new URL("../dist/web", import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2024",
    // The code of the graph's layout is one large file, loaded when a graph is shown.
    chunkSizeWarningLimit: 2000,
    reportCompressedSize: false,
  },
});
