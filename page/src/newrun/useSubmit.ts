import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { ApiError } from "../api/errors";
import { runScenario } from "../api/runs";
import type { RunScenarioRequest, RunScenarioResponse } from "../api/types";
import type { RunRequest } from "./draft";

/** What came of the last check or start: a reply for each target, or a refusal of the whole. */
export interface Outcome {
  readonly isCheck: boolean;
  readonly reply?: RunScenarioResponse;
  readonly error?: unknown;
}

export interface Submit {
  readonly outcome: Outcome | undefined;
  readonly isBusy: boolean;
  readonly check: () => Promise<void>;
  /** Starts it, and goes to the run; where nothing could start it stays, and says why. */
  readonly start: () => Promise<void>;
  /** The form was changed: what was said of it holds no more. */
  readonly forget: () => void;
}

/** Send what the form makes; `onRefusal` gets the refusal of a request, undefined for none. */
export function useSubmit(
  request: RunRequest,
  onRefusal: (error: ApiError | undefined) => void,
): Submit {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [outcome, setOutcome] = useState<Outcome>();
  const [isBusy, setBusy] = useState(false);
  const send = async (isCheck: boolean) => {
    setBusy(true);
    onRefusal(undefined);
    try {
      const body = { ...request, validateOnly: isCheck } as RunScenarioRequest;
      const reply = await runScenario(body);
      if (!isCheck && reply.runId) {
        await queries.invalidateQueries({ queryKey: ["runs"] });
        await navigate(`/runs/${reply.runId}`);
      } else {
        setOutcome({ isCheck, reply });
      }
    } catch (error) {
      if (error instanceof ApiError) onRefusal(error);
      setOutcome({ isCheck, error });
    } finally {
      setBusy(false);
    }
  };
  return {
    outcome,
    isBusy,
    check: () => send(true),
    start: () => send(false),
    forget: () => setOutcome(undefined),
  };
}
