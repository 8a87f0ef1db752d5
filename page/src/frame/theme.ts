/** Light or dark: as the system has it, unless this browser was told otherwise. */

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const STORED = "krkn-theme";
const DARK = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function chosen(): Theme {
  const stored = localStorage.getItem(STORED);
  return THEMES.find((each) => each === stored) ?? "system";
}

function isDark(): boolean {
  return chosen() === "system" ? DARK.matches : chosen() === "dark";
}

function apply(): void {
  document.documentElement.classList.toggle("pf-v6-theme-dark", isDark());
  listeners.forEach((each) => each());
}

export const theme = {
  chosen,
  isDark,

  choose(next: Theme): void {
    localStorage.setItem(STORED, next);
    apply();
  },

  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },

  /** Apply it now and whenever the system changes. */
  start(): void {
    DARK.addEventListener("change", apply);
    apply();
  },
};
