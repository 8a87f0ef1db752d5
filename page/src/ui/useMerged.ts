import { useCallback } from "react";
import { useSearchParams } from "react-router";

/** The parameters of the address, and a way to change some of them; empty ones are left out. */
export function useMerged() {
  const [parameters, setParameters] = useSearchParams();
  const merge = useCallback(
    (changes: Readonly<Record<string, string | undefined>>) =>
      setParameters(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes)) {
            if (value) next.set(name, value);
            else next.delete(name);
          }
          return next;
        },
        { replace: true },
      ),
    [setParameters],
  );
  return [parameters, merge] as const;
}
