/** The catalogue: which scenarios there are, and which parameters each has. */
import { useQuery } from "@tanstack/react-query";
import { get, part } from "../api/client";
import { useSession } from "../api/live";
import type { Scenario, ScenarioField, ScenarioSummary } from "../api/types";

const SCENARIOS = "/api/v1/scenarios";
/** Entries change only when an administrator changes files of the service. */
const STALE_MILLISECONDS = 60_000;

export function useCatalogue() {
  const { token } = useSession();
  return useQuery({
    queryKey: ["scenarios", token],
    queryFn: async ({ signal }) => {
      const { scenarios } = await get<{ scenarios: ScenarioSummary[] }>(SCENARIOS, { signal });
      return scenarios;
    },
    staleTime: STALE_MILLISECONDS,
  });
}

/** A scenario with its parameters; nothing while `name` is empty. */
export function useScenario(name: string) {
  return useDetail<Scenario>("detail", name);
}

/** The parameters that each scenario has besides its own; nothing while `name` is empty. */
export function useGlobals(name: string) {
  return useDetail<{ fields: ScenarioField[] }>("globals", name);
}

function useDetail<T>(kind: string, name: string) {
  const { token } = useSession();
  return useQuery({
    queryKey: ["scenario", kind, token, name],
    queryFn: ({ signal }) => get<T>(`${SCENARIOS}/${kind}/${part(name)}`, { signal }),
    enabled: name !== "",
    staleTime: STALE_MILLISECONDS,
  });
}

/** Whether all words of a search are in a scenario's name or title. */
export function isFound(scenario: ScenarioSummary, search: string): boolean {
  const text = `${scenario.name} ${scenario.title}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
