import { useCallback, useState } from "react";

export const fromAddress = (name: string): string => new URLSearchParams(location.search).get(name) ?? "";

/** Into the query of the page's address, without a new entry in the history. */
export function toAddress(values: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

/** A choice that stands in the address, so that a link shows what its sender saw. */
export function useAddress<T extends string>(name: string, options: readonly T[], usual: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => options.find((option) => option === fromAddress(name)) ?? usual);
  const change = useCallback(
    (next: T) => {
      setValue(next);
      toAddress({ [name]: next === usual ? "" : next });
    },
    [name, usual],
  );
  return [value, change];
}
