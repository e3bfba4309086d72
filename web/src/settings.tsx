import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import type { Zone } from "./format";
import { type Language, type Translate, translator } from "./i18n";

export interface Settings {
  language: Language;
  theme: "system" | "light" | "dark";
  zone: Zone;
  pnl: "green-red" | "red-green" | "blue-orange";
  density: "comfortable" | "compact";
}

interface Preferences extends Settings {
  t: Translate;
  /** What is painted, with `system` resolved. */
  painted: "light" | "dark";
  change: (change: Partial<Settings>) => void;
}

const KEPT_AS = "arena.settings";
const Context = createContext<Preferences | null>(null);

function initial(): Settings {
  const language: Language = /^zh/i.test(navigator.language) ? "zh-CN" : "en";
  const usual: Settings = { language, theme: "system", zone: "utc", pnl: "green-red", density: "comfortable" };
  try {
    return { ...usual, ...(JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") as Partial<Settings>) };
  } catch {
    return usual;
  }
}

function keep(settings: Settings): void {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify(settings));
  } catch {
    // storage may be forbidden: the choice lasts as long as the page
  }
}

function useSystemDark(): boolean {
  const query = useMemo(() => matchMedia("(prefers-color-scheme: dark)"), []);
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const listen = () => setDark(query.matches);
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, [query]);
  return dark;
}

export function Preferences({ children }: { children: ReactNode }) {
  const [settings, setSettings] = useState(initial);
  const systemDark = useSystemDark();
  const painted = settings.theme === "system" ? (systemDark ? "dark" : "light") : settings.theme;
  const root = document.documentElement;
  // during render on purpose: children read the colours of the theme when they draw
  root.dataset["theme"] = painted;
  root.dataset["pnl"] = settings.pnl;
  root.dataset["density"] = settings.density;
  root.lang = settings.language;
  useEffect(() => keep(settings), [settings]);
  const value = useMemo<Preferences>(
    () => ({
      ...settings,
      painted,
      t: translator(settings.language),
      change: (change) => setSettings((now) => ({ ...now, ...change })),
    }),
    [settings, painted],
  );
  return <Context value={value}>{children}</Context>;
}

export function usePreferences(): Preferences {
  const value = useContext(Context);
  if (!value) throw new Error("Preferences is missing above");
  return value;
}
