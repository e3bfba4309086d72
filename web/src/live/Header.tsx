import { useEffect, useRef } from "react";
import { useArena, useMood, useNow, usePicture } from "../arena";
import { relativeAge } from "./ages";
import { usePreferences } from "../settings";
import { Choice, Select } from "./Choice";

export function Header() {
  const { t } = usePreferences();
  return (
    <header className="top">
      <a className="brand" href="./">
        {t("app.name")}
      </a>
      <nav aria-label={t("app.name")}>
        <a href="./" aria-current="page">
          {t("nav.live")}
        </a>
      </nav>
      <Status />
      <SettingsBar />
    </header>
  );
}

function Status() {
  const { t } = usePreferences();
  const { store } = useArena();
  const { paused } = useMood();
  const { season } = usePicture();
  const { name, text } = useStatus();
  return (
    <div className="status-line">
      <span className="status" data-status={name}>
        <span className="dot" aria-hidden="true" />
        {text}
      </span>
      {/* only what kind of state it is: a countdown read aloud every second would help nobody */}
      <span className="sr-only" role="status">
        {t(`status.${announced[name]}` as const, { count: "", seconds: "", age: "" })}
      </span>
      {season && (
        <button type="button" className="pause" aria-pressed={paused} onClick={() => store.setPaused(!paused)}>
          {paused ? t("status.resume") : t("status.pause")}
        </button>
      )}
    </div>
  );
}

type Name = "live" | "connecting" | "waiting" | "paused" | "stale" | "finished";
const announced = {
  live: "live",
  connecting: "connecting",
  waiting: "reconnectingNow",
  paused: "pause",
  stale: "stale",
  finished: "finished",
} as const;

function useStatus(): { name: Name; text: string } {
  const { t, language } = usePreferences();
  const { link, paused, waiting } = useMood();
  const { phase, receivedAt, ready } = usePicture();
  const now = useNow(250);
  if (link.state === "waiting") {
    const seconds = Math.max(0, Math.ceil((link.retryAt - now) / 1000));
    return { name: "waiting", text: t("status.reconnecting", { seconds }) };
  }
  if (link.state === "connecting")
    return { name: "connecting", text: t(ready ? "status.reconnectingNow" : "status.connecting") };
  if (paused) return { name: "paused", text: t("status.paused", { count: waiting.toLocaleString(language) }) };
  if (phase === "finished") return { name: "finished", text: t("status.finished") };
  const age = now - receivedAt;
  if (ready && age > STALE_MS) return { name: "stale", text: t("status.stale", { age: relativeAge(age, language) }) };
  return { name: "live", text: ready ? `${t("status.live")} · ${relativeAge(age, language)}` : t("status.live") };
}

export const STALE_MS = 10_000;

const NEXT_THEME = { system: "light", light: "dark", dark: "system" } as const;
const THEME_SIGN = { system: "◐", light: "○", dark: "●" } as const;

/** A menu closes when something else is touched, and on Escape. */
function useClosing() {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const outside = event.target instanceof Node && !menu.current?.contains(event.target);
      const escape = event instanceof KeyboardEvent && event.key === "Escape";
      if (menu.current && (escape || (outside && event.type === "pointerdown"))) menu.current.open = false;
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);
  return menu;
}

function SettingsBar() {
  const menu = useClosing();
  const { t, language, theme, zone, pnl, density, change } = usePreferences();
  return (
    <div className="settings">
      <div className="wide-only">
        <Choice
          label={t("setting.zone")}
          value={zone}
          options={(["utc", "local"] as const).map((v) => [v, t(`setting.zone.${v}`)] as const)}
          onChange={(value) => change({ zone: value })}
        />
        <button
          type="button"
          className="toggle theme"
          aria-label={`${t("setting.theme")}: ${t(`setting.theme.${theme}`)}`}
          title={`${t("setting.theme")}: ${t(`setting.theme.${theme}`)}`}
          onClick={() => change({ theme: NEXT_THEME[theme] })}
        >
          <span aria-hidden="true">{THEME_SIGN[theme]}</span>
        </button>
      </div>
      <Choice
        label={t("setting.language")}
        value={language}
        options={[["en", "EN"], ["zh-CN", "中"]]}
        onChange={(value) => change({ language: value })}
      />
      <details className="menu" ref={menu}>
        <summary>{t("setting.open")}</summary>
        <div className="menu-body">
          <Select
            label={t("setting.theme")}
            value={theme}
            options={(["system", "light", "dark"] as const).map((v) => [v, t(`setting.theme.${v}`)] as const)}
            onChange={(value) => change({ theme: value })}
          />
          <Select
            label={t("setting.zone")}
            value={zone}
            options={(["utc", "local"] as const).map((v) => [v, t(`setting.zone.${v}`)] as const)}
            onChange={(value) => change({ zone: value })}
          />
          <Select
            label={t("setting.pnl")}
            value={pnl}
            options={(["green-red", "red-green", "blue-orange"] as const).map((v) => [v, t(`setting.pnl.${v}`)] as const)}
            onChange={(value) => change({ pnl: value })}
          />
          <Select
            label={t("setting.density")}
            value={density}
            options={(["comfortable", "compact"] as const).map((v) => [v, t(`setting.density.${v}`)] as const)}
            onChange={(value) => change({ density: value })}
          />
        </div>
      </details>
    </div>
  );
}
