import { memo, useLayoutEffect, useRef } from "react";
import type { Key } from "../i18n";

/** What a number means; with `at`, when it was so. Shown by `Explainer` on hover, focus and touch. */
export const explained = (key: Key, at?: number) => ({ "data-explain": key, ...(at ? { "data-at": at } : {}) });

const calm = matchMedia("(prefers-reduced-motion: reduce)");

interface Props {
  text: string;
  about?: Key;
  at?: number;
  tone?: -1 | 0 | 1;
  className?: string;
}

/** A number: its background fades once when it changes, and not again before that fade is over. */
export const Num = memo(function Num({ text, about, at, tone = 0, className = "" }: Props) {
  const element = useRef<HTMLSpanElement>(null);
  const shown = useRef(text);
  const fade = useRef<Animation | null>(null);
  useLayoutEffect(() => {
    if (shown.current === text) return;
    shown.current = text;
    if (calm.matches || document.hidden || fade.current?.playState === "running") return;
    const colour = getComputedStyle(document.documentElement).getPropertyValue("--changed");
    fade.current = element.current?.animate([{ backgroundColor: colour }, { backgroundColor: "transparent" }], 600) ?? null;
  }, [text]);
  const sign = /[1-9]/.test(text) ? tone : 0; // what reads as zero has no colour
  const toned = sign > 0 ? "gain" : sign < 0 ? "loss" : "";
  return (
    <span ref={element} className={`num ${toned} ${className}`} {...(about ? explained(about, at) : {})}>
      {text}
    </span>
  );
});
