/** What all parts of the form share. */
import { createContext, useContext } from "react";
import type { ScenarioField } from "../api/types";
import type { Draft } from "./draft";
import type { Violations } from "./violations";

export interface NewRun {
  readonly draft: Draft;
  /** The scenario's parameters, and those that every scenario has. */
  readonly own: readonly ScenarioField[];
  readonly globals: readonly ScenarioField[];
  readonly violations: Violations;
  /** Change some of the draft; `keys` name the violations that this may mend. */
  readonly update: (changes: Partial<Draft>, ...keys: string[]) => void;
}

export const NewRunContext = createContext<NewRun | undefined>(undefined);

export function useNewRun(): NewRun {
  const form = useContext(NewRunContext);
  if (!form) throw new Error("not in the form of a new run");
  return form;
}
