/** Colours of the style sheet for what draws by itself. */

/** What a colour such as `--success` comes to in the theme that is shown. */
export function resolvedColour(name: string, alpha = 1): string {
  const probe = document.createElement("span");
  probe.style.color = alpha === 1 ? `var(${name})` : `color-mix(in srgb, var(${name}) ${alpha * 100}%, transparent)`;
  document.body.append(probe);
  const text = getComputedStyle(probe).color;
  probe.remove();
  return text;
}

/** Calls `draw` when the theme has changed. @returns how to stop */
export function onThemeChange(draw: () => void): () => void {
  const chosen = new MutationObserver(draw);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", draw);
  return () => {
    chosen.disconnect();
    system.removeEventListener("change", draw);
  };
}
