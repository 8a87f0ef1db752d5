import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo } from "react";
import { all } from "../api/client";
import { useAllJobs, useSession } from "../api/live";
import type { Target } from "../api/types";
import { busy } from "./selection";

const INTERVAL_MILLISECONDS = 10_000;

/** How many jobs that are not final each target has, live. */
export function useBusy(): ReadonlyMap<string, number> {
  const { entries } = useAllJobs();
  return useMemo(() => busy(entries.values()), [entries]);
}

/** The targets that a label selector selects, as the service reads it. */
export function useSelector(labelSelector: string) {
  const { token } = useSession();
  const selector = useDeferredValue(labelSelector.trim());
  const { data, error } = useQuery({
    queryKey: ["targets by labels", token, selector],
    queryFn: async ({ signal }) => {
      const query = { labelSelector: selector };
      const targets = await all<"targets", Target>("/api/v1/operator/targets", "targets", {
        query,
        signal,
      });
      return new Set(targets.map(({ uuid }) => uuid));
    },
    enabled: selector !== "",
    placeholderData: keepPreviousData,
    refetchInterval: INTERVAL_MILLISECONDS,
  });
  return selector === "" ? { selected: undefined, error: null } : { selected: data, error };
}
