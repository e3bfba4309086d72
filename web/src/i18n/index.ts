import { en } from "./en";
import { zhCN } from "./zh-CN";

export type Key = keyof typeof en;
export type Messages = Record<Key, string>;
export type Language = "en" | "zh-CN";
export type Params = Readonly<Record<string, string | number>>;
export type Translate = (key: Key, params?: Params) => string;

export const messages: Record<Language, Messages> = { en, "zh-CN": zhCN };

export const translator =
  (language: Language): Translate =>
  (key, params = {}) =>
    messages[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? `{${name}}`));

export const isKey = (key: string): key is Key => key in en;
