/** Light, dark, or as the system says; remembered by the browser. */
import { useState } from "react";
import { IconFrame } from "../parts/iconFrame.tsx";

const key = "outlast-theme";
const themes = ["system", "light", "dark"] as const;
type Theme = (typeof themes)[number];

function stored(): Theme {
  const text = localStorage.getItem(key);
  return themes.find((theme) => theme === text) ?? "system";
}

export function applyTheme(theme: Theme = stored()): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

const paths: { readonly [Name in Theme]: string } = {
  system: "M2.5 3h11v7.5h-11zM6 13.5h4M8 10.5v3",
  light:
    "M8 5.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 0 0 0-5.6M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.8.8M11.8 11.8l.8.8M3.4 12.6l.8-.8M11.8 4.2l.8-.8",
  dark: "M13 9.6A5.5 5.5 0 0 1 6.4 3a5.5 5.5 0 1 0 6.6 6.6Z",
};

export function ThemeButton() {
  const [theme, setTheme] = useState(stored);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
  return (
    <button
      type="button"
      title={`Theme: ${theme}. Switch to ${next}.`}
      aria-label={`Theme: ${theme}. Switch to ${next}.`}
      onClick={() => {
        localStorage.setItem(key, next);
        applyTheme(next);
        setTheme(next);
      }}
      className="grid size-7 place-items-center rounded-md text-muted hover:bg-hover hover:text-text"
    >
      <IconFrame size={15}>
        <path d={paths[theme]} />
      </IconFrame>
    </button>
  );
}
