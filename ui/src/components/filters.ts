/** Filters of a list, in the address: `?recipient=ada@&state=deferred`. "" is none. */
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { useSearchParams } from "react-router";

const PAUSE = 300; // ms after the last key

export function useFilters<Name extends string>(names: readonly Name[]) {
  const [parameters, setParameters] = useSearchParams();
  const values = Object.fromEntries(names.map((name) => [name, parameters.get(name) ?? ""])) as Record<
    Name,
    string
  >;
  /** The list begins anew: with its first page. */
  const set = (changed: Partial<Record<Name, string>>) =>
    setParameters(
      (before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries<string | undefined>(changed)) {
          if (value) after.set(name, value);
          else after.delete(name);
        }
        after.delete("page");
        return after;
      },
      { replace: true },
    );
  const clear = () => set(Object.fromEntries(names.map((name) => [name, ""])) as Record<Name, string>);
  return { values, set, clear, any: names.some((name) => values[name] !== "") };
}

/** What is typed is shown at once, and asked for when there is a pause. */
export function useTyped(value: string, set: (value: string) => void): [string, (value: string) => void] {
  const [typed, setTyped] = useState<string | null>(null);
  const later = useDebouncedCallback((text: string) => {
    set(text);
    setTyped(null);
  }, PAUSE);
  const type = (text: string) => {
    setTyped(text);
    later(text);
  };
  return [typed ?? value, type];
}
