import { describe, expect, it } from "vitest";
import { countdown, dateTime, measured, percent, percentSigned, price, quantity, relative, usd, usdSigned } from "../src/format";

describe("numbers on the page", () => {
  it("group thousands and carry a true minus", () => {
    expect(usd("1234567.891")).toBe("1,234,567.89");
    expect(usd("-6579.77")).toBe("\u22126,579.77");
    expect(usdSigned("318.2200")).toBe("+318.22");
  });

  it("have no sign when they round to zero", () => {
    expect(usdSigned("-0.004")).toBe("0.00");
    expect(percentSigned("0.00001")).toBe("0.00%");
  });

  it("show rates as per cent without going through a float", () => {
    expect(percentSigned("0.1842")).toBe("+18.42%");
    expect(percent("0.5", 0)).toBe("50%");
    expect(percent("1")).toBe("100.00%");
    expect(percentSigned("-0.657977")).toBe("\u221265.80%");
  });

  it("write prices with the instrument's tick", () => {
    expect(price("108622.5", "0.10")).toBe("108,622.5");
    expect(price("0.19544", "0.00001")).toBe("0.19544");
    expect(price("108622.5", "1")).toBe("108,622");
  });

  it("write prices sensibly where the tick is not known", () => {
    expect(price("108622.512345")).toBe("108,622.5");
    expect(price("3912.6")).toBe("3,912.60");
    expect(price("0.195441")).toBe("0.19544");
  });

  it("drop the zeros behind a quantity, never those before the point", () => {
    expect(quantity("4.8700")).toBe("4.87");
    expect(quantity("1200")).toBe("1,200");
    expect(quantity("100.000")).toBe("100");
  });

  it("give a rule's number its unit", () => {
    expect(measured("24310.554", "USD")).toBe("24,310.55 USD");
    expect(measured("12", "x")).toBe("12 x");
    expect(measured("0.0312", "")).toBe("0.0312");
  });
});

describe("times on the page", () => {
  const at = Date.UTC(2026, 10, 22, 14, 3, 7);

  it("are ISO-like with their zone", () => {
    expect(dateTime(at, "utc")).toBe("2026-11-22 14:03:07 UTC");
  });

  it("count down in minutes, with hours where there are any", () => {
    expect([countdown(101_500), countdown(3_723_000), countdown(-5)]).toEqual(["01:42", "1:02:03", "00:00"]);
  });

  it("are relative in the reader's language", () => {
    expect(relative(125_000, "en")).toBe("2 min. ago");
    expect(relative(125_000, "zh-CN")).toBe("2分钟前");
  });
});
