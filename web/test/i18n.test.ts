import { describe, expect, it } from "vitest";
import { type Key, messages, translator } from "../src/i18n";

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe("the two languages", () => {
  const { en, "zh-CN": zh } = messages;

  it("have the same keys", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it("say something under every key, with the same placeholders", () => {
    for (const key of Object.keys(en) as Key[]) {
      expect(zh[key].trim(), key).not.toBe("");
      expect(placeholders(zh[key]), key).toEqual(placeholders(en[key]));
    }
  });

  it("leave nothing untranslated but names, signs and units", () => {
    const same = (Object.keys(en) as Key[]).filter((key) => en[key] === zh[key]);
    const meant = ["app.name", "app.charts", "setting.zone.utc", "chart.usd", "chart.percent", "board.rank", "unit.usd"];
    expect(same.sort()).toEqual([...meant, "season.line"].sort());
  });

  it("fill placeholders in", () => {
    expect(translator("zh-CN")("season.round", { round: 7, time: "01:42" })).toBe("第 7 回合 01:42 后开始");
  });
});
