import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo } from "react";
import { all } from "../api/client";
import { useSession } from "../api/live";
import type { Job, Target } from "../api/types";
import { busy } from "./selection";

const INTERVAL_MILLISECONDS = 5000;
const JOBS_LIMIT = 1000;
const UNFINISHED = ["Running", "Pending", "Stopping"];

/** How many jobs that are not final each target has; read again every five seconds. */
export function useBusy(): ReadonlyMap<string, number> {
  const { token } = useSession();
  const { data } = useQuery({
    queryKey: ["unfinished jobs", token],
    queryFn: async ({ signal }) => {
      const lists = UNFINISHED.map((status) =>
        all<"jobs", Job>(
          "/api/v1/scenarios/run",
          "jobs",
          { query: { status }, signal },
          JOBS_LIMIT,
        ),
      );
      return (await Promise.all(lists)).flat();
    },
    refetchInterval: INTERVAL_MILLISECONDS,
  });
  return useMemo(() => busy(data ?? []), [data]);
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
    refetchInterval: 2 * INTERVAL_MILLISECONDS,
  });
  return selector === "" ? { selected: undefined, error: null } : { selected: data, error };
}
