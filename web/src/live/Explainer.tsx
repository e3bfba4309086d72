// One tooltip for the whole page: whatever carries `data-explain` says what it means.
import { useEffect, useRef, useState } from "react";
import { dateTime } from "../format";
import { isKey, type Key } from "../i18n";
import { usePreferences } from "../settings";

interface Shown {
  key: Key;
  at: number | null;
  target: HTMLElement;
  box: DOMRect;
}

const WIDTH = 288;

function found(event: Event): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>("[data-explain]") : null;
}

function shownBy(target: HTMLElement): Shown | null {
  const key = `explain.${(target.dataset["explain"] ?? "").replace(/^explain\./, "")}`;
  if (!isKey(key)) return null;
  return { key, at: Number(target.dataset["at"]) || null, target, box: target.getBoundingClientRect() };
}

export function Explainer() {
  const { t, zone } = usePreferences();
  const [shown, setShown] = useState<Shown | null>(null);
  const current = useRef<HTMLElement | null>(null);

  useEffect(() => {
    const show = (event: Event) => {
      const target = found(event);
      if (target === current.current) return;
      current.current?.removeAttribute("aria-describedby");
      current.current = target;
      const next = target && shownBy(target);
      if (next) target.setAttribute("aria-describedby", "explainer");
      setShown(next);
    };
    const hide = (event: Event) => {
      if (event instanceof KeyboardEvent && event.key !== "Escape") return;
      current.current?.removeAttribute("aria-describedby");
      current.current = null;
      setShown(null);
    };
    const options = { passive: true, capture: true };
    document.addEventListener("pointerover", show, options);
    document.addEventListener("focusin", show, options);
    document.addEventListener("keydown", hide, options);
    document.addEventListener("scroll", hide, options);
    return () => {
      document.removeEventListener("pointerover", show, options);
      document.removeEventListener("focusin", show, options);
      document.removeEventListener("keydown", hide, options);
      document.removeEventListener("scroll", hide, options);
    };
  }, []);

  if (!shown) return null;
  const formula = `${shown.key}.formula`;
  const below = shown.box.bottom < innerHeight - 160;
  const place = {
    left: Math.max(8, Math.min(shown.box.left, innerWidth - WIDTH - 8)),
    ...(below ? { top: shown.box.bottom + 6 } : { bottom: innerHeight - shown.box.top + 6 }),
  };
  return (
    <div id="explainer" role="tooltip" className="explainer" style={place}>
      <p>{t(shown.key)}</p>
      {isKey(formula) && <p className="formula">{t(formula)}</p>}
      {shown.at && (
        <p className="faint">
          {t("explain.asOf")} {dateTime(shown.at, zone)}
        </p>
      )}
    </div>
  );
}
