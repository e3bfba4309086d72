import { describe, expect, it } from "vitest";
import { add, compare, decimal, divide, multiply, plain, rounded, subtract } from "../src/decimal";

const text = (value: ReturnType<typeof decimal> | null) => (value ? plain(value) : null);

describe("decimals", () => {
  it("add what floats cannot", () => {
    expect(text(add(decimal("0.1"), decimal("0.2")))).toBe("0.3");
    expect(text(subtract(decimal("10000"), decimal("10000.000000000000000001")))).toBe("-0.000000000000000001");
  });

  it("keep every digit of an amount beyond 2^53", () => {
    expect(text(add(decimal("90071992547409930.01"), decimal("0.01")))).toBe("90071992547409930.02");
  });

  it("round half to even, on both sides of zero", () => {
    const halves = ["0.125", "0.135", "-0.125", "-0.135", "2.5"];
    const places = [2, 2, 2, 2, 0];
    expect(halves.map((half, n) => text(rounded(decimal(half), places[n]!)))).toEqual(["0.12", "0.14", "-0.12", "-0.14", "2"]);
  });

  it("divide to twelve places, and by zero not at all", () => {
    expect(text(divide(decimal("1"), decimal("3")))).toBe("0.333333333333");
    expect(text(divide(decimal("-2"), decimal("3"), 4))).toBe("-0.6667");
    expect(divide(decimal("1"), decimal("0.00"))).toBeNull();
  });

  it("multiply and compare across scales", () => {
    expect(text(multiply(decimal("-1.5"), decimal("0.02")))).toBe("-0.030");
    expect(compare(decimal("1.50"), decimal("1.5"))).toBe(0);
    expect(compare(decimal("-2"), decimal("-1.999"))).toBe(-1);
  });

  it("refuse what is no decimal", () => {
    for (const bad of ["", "NaN", "1e5", "1.", ".5", "+1", " 1"]) expect(() => decimal(bad)).toThrow("not a decimal");
  });
});
